"""The same application twice, for Express 5 and for fsd, and the requests that both are asked.

A probe is one route, /NAME, as JavaScript and as Lua; what it answers shows one thing.  A pattern is a path of its own below /pNUMBER,
which answers with its parameters.  Requests are tuples: method, path, headers (pairs), body."""
import json

# name, JavaScript, Lua: bodies of a handler with req and res
PROBES = [
    # res.status, res.send, res.json, res.sendStatus, res.end
    ("send_text", "res.send('hi')", "res:send('hi')"),
    ("send_html", "res.send('<p>hi</p>')", "res:send('<p>hi</p>')"),
    ("send_empty", "res.send('')", "res:send('')"),
    ("send_nothing", "res.send()", "res:send()"),
    ("send_object", "res.send({a: 1})", "res:send{ a = 1 }"),
    ("send_list", "res.send([1, 2])", "res:send{ 1, 2 }"),
    ("send_true", "res.send(true)", "res:send(true)"),
    ("send_number", "res.send(42)", "res:send(42)"),
    ("send_utf8", "res.send('äöü€')", "res:send('äöü€')"),
    ("send_typed", "res.type('txt').send('hi')", "res:type('txt'):send('hi')"),
    ("send_status_201", "res.status(201).send('made')", "res:status(201):send('made')"),
    ("send_204", "res.status(204).send('x')", "res:status(204):send('x')"),
    ("send_205", "res.status(205).send('x')", "res:status(205):send('x')"),
    ("send_304", "res.status(304).send('x')", "res:status(304):send('x')"),
    ("send_999", "res.status(999).send('x')", "res:status(999):send('x')"),
    ("send_299", "res.status(299).send('x')", "res:status(299):send('x')"),
    ("status_then_json", "res.status(418).json({tea: true})", "res:status(418):json{ tea = true }"),
    ("status_code", "res.status(202); res.json([res.statusCode])", "res:status(202); res:json{ res.status_code }"),
    ("status_default", "res.json([res.statusCode])", "res:json{ res.status_code }"),
    ("json_object", "res.json({a: {b: [1, null, 'x']}})", "res:json{ a = { b = { 1, json.null, 'x' } } }"),
    ("json_string", "res.json('x')", "res:json('x')"),
    ("json_number", "res.json(1.5)", "res:json(1.5)"),
    ("json_false", "res.json(false)", "res:json(false)"),
    ("json_null", "res.json(null)", "res:json(json.null)"),
    ("json_empty_list", "res.json([])", "res:json(json.array{})"),
    ("json_empty_object", "res.json({})", "res:json{}"),
    ("json_text_with_quotes", "res.json({a: '\"\\n\\\\'})", "res:json{ a = '\"\\n\\\\' }"),
    ("json_keeps_type", "res.type('application/vnd.x+json').json({})", "res:type('application/vnd.x+json'):json{}"),
    ("json_html", "res.json({a: '<b>&'})", "res:json{ a = '<b>&' }"),
    ("jsonp", "res.jsonp({a: 1})", "res:jsonp{ a = 1 }"),
    ("send_status_200", "res.sendStatus(200)", "res:send_status(200)"),
    ("send_status_201s", "res.sendStatus(201)", "res:send_status(201)"),
    ("send_status_404", "res.sendStatus(404)", "res:send_status(404)"),
    ("send_status_500", "res.sendStatus(500)", "res:send_status(500)"),
    ("send_status_503", "res.sendStatus(503)", "res:send_status(503)"),
    ("end_nothing", "res.end()", "res:finish()"),
    ("end_text", "res.type('text').end('x')", "res:type('text'):finish('x')"),
    ("write_pieces", "res.type('text'); res.write('a'); res.write('b'); res.end('c')", "res:type('text'); res:write('a'); res:write('b'); res:finish('c')"),
    ("headers_sent", "const before = res.headersSent; res.json([before])", "local before = res.headers_sent; res:json{ before }"),
    # res.set, get, append, type, vary, links, location
    ("set_one", "res.set('X-A', '1').send('')", "res:set('X-A', '1'):send('')"),
    ("set_number", "res.set('X-A', 1).send('')", "res:set('X-A', 1):send('')"),
    ("set_many", "res.set({'X-A': '1', 'X-B': '2'}).send('')", "res:set{ ['X-A'] = '1', ['X-B'] = '2' }:send('')"),
    ("set_list", "res.set('X-A', ['1', '2']).send('')", "res:set('X-A', { '1', '2' }):send('')"),
    ("set_twice", "res.set('X-A', '1').set('x-a', '2').send('')", "res:set('X-A', '1'):set('x-a', '2'):send('')"),
    ("header_alias", "res.header('X-A', '1').send('')", "res:header('X-A', '1'):send('')"),
    ("set_type_text", "res.set('Content-Type', 'text/plain').send('x')", "res:set('Content-Type', 'text/plain'):send('x')"),
    ("set_type_charset", "res.set('Content-Type', 'text/plain; charset=utf-8').send('x')", "res:set('Content-Type', 'text/plain; charset=utf-8'):send('x')"),
    ("get_set", "res.set('X-A', '1'); res.json([res.get('x-a'), res.get('X-B') === undefined])", "res:set('X-A', '1'); res:json{ res:get('x-a'), res:get('X-B') == nil }"),
    ("append_new", "res.append('X-A', '1').send('')", "res:append('X-A', '1'):send('')"),
    ("append_more", "res.append('X-A', '1').append('X-A', '2').send('')", "res:append('X-A', '1'):append('X-A', '2'):send('')"),
    ("append_list", "res.append('X-A', ['1', '2']).send('')", "res:append('X-A', { '1', '2' }):send('')"),
    ("append_after_set", "res.set('X-A', '0').append('X-A', '1').send('')", "res:set('X-A', '0'):append('X-A', '1'):send('')"),
    ("type_html", "res.type('html').send('x')", "res:type('html'):send('x')"),
    ("type_point", "res.type('.html').send('x')", "res:type('.html'):send('x')"),
    ("type_json", "res.type('json').send('{}')", "res:type('json'):send('{}')"),
    ("type_png", "res.type('png').end('x')", "res:type('png'):finish('x')"),
    ("type_css", "res.type('css').send('x')", "res:type('css'):send('x')"),
    ("type_js", "res.type('js').send('x')", "res:type('js'):send('x')"),
    ("type_svg", "res.type('svg').send('x')", "res:type('svg'):send('x')"),
    ("type_xml", "res.type('xml').send('x')", "res:type('xml'):send('x')"),
    ("type_full", "res.type('text/x-own').send('x')", "res:type('text/x-own'):send('x')"),
    ("type_alias", "res.contentType('txt').send('x')", "res:content_type('txt'):send('x')"),
    ("vary_one", "res.vary('Origin').send('')", "res:vary('Origin'):send('')"),
    ("vary_twice", "res.vary('Origin').vary('Accept').send('')", "res:vary('Origin'):vary('Accept'):send('')"),
    ("vary_same", "res.vary('Origin').vary('origin').send('')", "res:vary('Origin'):vary('origin'):send('')"),
    ("vary_list", "res.vary(['Origin', 'Accept']).send('')", "res:vary{ 'Origin', 'Accept' }:send('')"),
    ("vary_star", "res.vary('Origin').vary('*').send('')", "res:vary('Origin'):vary('*'):send('')"),
    ("links_one", "res.links({next: 'http://a/2'}).send('')", "res:links{ next = 'http://a/2' }:send('')"),
    ("location", "res.location('/x').send('')", "res:location('/x'):send('')"),
    ("location_encoded", "res.location('/a b?c=ä').send('')", "res:location('/a b?c=ä'):send('')"),
    ("location_kept", "res.location('/a%20b').send('')", "res:location('/a%20b'):send('')"),
    ("location_absolute", "res.location('https://a.example/?q=\"').send('')", "res:location('https://a.example/?q=\"'):send('')"),
    # res.redirect
    ("redirect", "res.redirect('/x')", "res:redirect('/x')"),
    ("redirect_301", "res.redirect(301, '/x')", "res:redirect(301, '/x')"),
    ("redirect_303", "res.redirect(303, '/x')", "res:redirect(303, '/x')"),
    ("redirect_307", "res.redirect(307, '/x')", "res:redirect(307, '/x')"),
    ("redirect_308", "res.redirect(308, '/x')", "res:redirect(308, '/x')"),
    ("redirect_relative", "res.redirect('../x')", "res:redirect('../x')"),
    ("redirect_absolute", "res.redirect('http://a.example/y?z=1')", "res:redirect('http://a.example/y?z=1')"),
    ("redirect_html", "res.redirect('/<b>')", "res:redirect('/<b>')"),
    # res.attachment
    ("attachment", "res.attachment().send('x')", "res:attachment():send('x')"),
    ("attachment_txt", "res.attachment('a.txt').send('x')", "res:attachment('a.txt'):send('x')"),
    ("attachment_path", "res.attachment('/x/y/a.png').end('x')", "res:attachment('/x/y/a.png'):finish('x')"),
    ("attachment_blank", "res.attachment('a b.txt').send('x')", "res:attachment('a b.txt'):send('x')"),
    ("attachment_quote", "res.attachment('a\"b.txt').send('x')", "res:attachment('a\"b.txt'):send('x')"),
    ("attachment_utf8", "res.attachment('€.txt').send('x')", "res:attachment('€.txt'):send('x')"),
    # res.cookie, res.clearCookie
    ("cookie", "res.cookie('a', 'b').send('')", "res:cookie('a', 'b'):send('')"),
    ("cookie_number", "res.cookie('a', 1).send('')", "res:cookie('a', 1):send('')"),
    ("cookie_json", "res.cookie('a', {b: [1]}).send('')", "res:cookie('a', { b = { 1 } }):send('')"),
    ("cookie_encoded", "res.cookie('a', 'x y;ä/').send('')", "res:cookie('a', 'x y;ä/'):send('')"),
    ("cookie_two", "res.cookie('a', '1').cookie('b', '2').send('')", "res:cookie('a', '1'):cookie('b', '2'):send('')"),
    ("cookie_path", "res.cookie('a', 'b', {path: '/x'}).send('')", "res:cookie('a', 'b', { path = '/x' }):send('')"),
    ("cookie_domain", "res.cookie('a', 'b', {domain: '.x.example'}).send('')", "res:cookie('a', 'b', { domain = '.x.example' }):send('')"),
    ("cookie_flags", "res.cookie('a', 'b', {httpOnly: true, secure: true, partitioned: true}).send('')",
     "res:cookie('a', 'b', { http_only = true, secure = true, partitioned = true }):send('')"),
    ("cookie_expires", "res.cookie('a', 'b', {expires: new Date(784111777000)}).send('')", "res:cookie('a', 'b', { expires = 784111777 }):send('')"),
    ("cookie_same_site_true", "res.cookie('a', 'b', {sameSite: true}).send('')", "res:cookie('a', 'b', { same_site = true }):send('')"),
    ("cookie_same_site_lax", "res.cookie('a', 'b', {sameSite: 'lax'}).send('')", "res:cookie('a', 'b', { same_site = 'lax' }):send('')"),
    ("cookie_same_site_none", "res.cookie('a', 'b', {sameSite: 'none'}).send('')", "res:cookie('a', 'b', { same_site = 'none' }):send('')"),
    ("cookie_same_site_false", "res.cookie('a', 'b', {sameSite: false}).send('')", "res:cookie('a', 'b', { same_site = false }):send('')"),
    ("cookie_priority", "res.cookie('a', 'b', {priority: 'high'}).send('')", "res:cookie('a', 'b', { priority = 'high' }):send('')"),
    ("cookie_encode", "res.cookie('a', 'b c', {encode: v => v.replace(' ', '+')}).send('')",
     "res:cookie('a', 'b c', { encode = function(v) return (v:gsub(' ', '+')) end }):send('')"),
    ("cookie_signed", "res.cookie('a', 'hello', {signed: true}).send('')", "res:cookie('a', 'hello', { signed = true }):send('')"),
    ("cookie_signed_json", "res.cookie('a', {b: 1}, {signed: true}).send('')", "res:cookie('a', { b = 1 }, { signed = true }):send('')"),
    ("cookie_bad_name", "res.cookie('a b', 'c').send('')", "res:cookie('a b', 'c'):send('')"),
    ("cookie_bad_path", "res.cookie('a', 'c', {path: '/\\r\\nx'}).send('')", "res:cookie('a', 'c', { path = '/\\r\\nx' }):send('')"),
    ("cookie_bad_domain", "res.cookie('a', 'c', {domain: 'a;b'}).send('')", "res:cookie('a', 'c', { domain = 'a;b' }):send('')"),
    ("cookie_bad_same_site", "res.cookie('a', 'c', {sameSite: 'x'}).send('')", "res:cookie('a', 'c', { same_site = 'x' }):send('')"),
    ("clear_cookie", "res.clearCookie('a').send('')", "res:clear_cookie('a'):send('')"),
    ("clear_cookie_path", "res.clearCookie('a', {path: '/x'}).send('')", "res:clear_cookie('a', { path = '/x' }):send('')"),
    ("clear_cookie_times", "res.clearCookie('a', {maxAge: 1000, expires: new Date(784111777000)}).send('')",
     "res:clear_cookie('a', { max_age = 1, expires = 784111777 }):send('')"),
    # res.format, res.locals, res.req, res.app
    ("format", "res.format({text: () => res.send('text'), html: () => res.send('html'), json: () => res.send({a: 1})})",
     "res:format{ { 'text', function() res:send('text') end }, { 'html', function() res:send('html') end }, { 'json', function() res:send{ a = 1 } end } }"),
    ("format_default", "res.format({html: () => res.send('html'), default: () => res.send('other')})",
     "res:format{ html = function() res:send('html') end, default = function() res:send('other') end }"),
    ("res_locals", "res.locals.a = 1; res.json([res.locals.a])", "res.locals.a = 1; res:json{ res.locals.a }"),
    ("res_req", "res.json([res.req === req, req.res === res])", "res:json{ res.req == req, req.res == res }"),
    ("res_app", "res.json([res.app === req.app])", "res:json{ res.app == req.app }"),
    # errors
    ("throws", "throw new Error('secret')", "error('secret')"),
    ("throws_status", "throw Object.assign(new Error('gone'), {status: 410})", "error{ status = 410, message = 'gone' }"),
    ("throws_after_set", "res.set('X-A', '1'); throw new Error('x')", "res:set('X-A', '1'); error('x')"),
    ("rejects", "return Promise.reject(new Error('later'))", "fsd.task.sleep(0.001); error('later')"),
    ("bad_status", "res.status(99).send('')", "res:status(99):send('')"),
    ("bad_status_text", "res.status('200').send('')", "res:status('200'):send('')"),
    ("bad_header", "res.set('X-A', 'b\\r\\nc: d').send('')", "res:set('X-A', 'b\\r\\nc: d'):send('')"),
    ("bad_header_name", "res.set('X A', 'b').send('')", "res:set('X A', 'b'):send('')"),
    # req
    ("req_names", "res.json({method: req.method, url: req.url, path: req.path, base: req.baseUrl, original: req.originalUrl, xhr: req.xhr, "
     "protocol: req.protocol, secure: req.secure, host: req.host || false, hostname: req.hostname || false, subdomains: req.subdomains, "
     "ip: req.ip.replace('::ffff:', ''), ips: req.ips, version: req.httpVersion})",
     "res:json{ method = req.method, url = req.url, path = req.path, base = req.base_url, original = req.original_url, xhr = req.xhr, "
     "protocol = req.protocol, secure = req.secure, host = req.host or false, hostname = req.hostname or false, subdomains = req.subdomains, "
     "ip = req.ip, ips = req.ips, version = req.http_version }"),
    ("req_get", "res.json([req.get('X-A') || false, req.header('x-a') || false, req.headers['x-a'] || false, req.get('Referrer') || false])",
     "res:json{ req:get('X-A') or false, req:header('x-a') or false, req.headers['x-a'] or false, req:get('Referrer') or false }"),
    ("req_query", "res.json(req.query)", "res:json(req.query)"),
    ("req_cookies", "res.json([req.cookies, req.signedCookies])", "res:json{ req.cookies, req.signed_cookies }"),
    ("req_body", "res.json([req.body === undefined])", "res:json{ req.body == nil }"),
    ("accepts", "res.json([req.accepts(...offers(req))])", "res:json{ req:accepts(offers(req)) }"),
    ("charsets", "res.json([req.acceptsCharsets(...offers(req))])", "res:json{ req:accepts_charsets(offers(req)) }"),
    ("encodings", "res.json([req.acceptsEncodings(...offers(req))])", "res:json{ req:accepts_encodings(offers(req)) }"),
    ("languages", "res.json([req.acceptsLanguages(...offers(req))])", "res:json{ req:accepts_languages(offers(req)) }"),
    ("is", "const r = req.is(offers(req)); res.json([r === null ? 'none' : r])", "local r = req:is(offers(req)); if r == nil then r = 'none' end; res:json{ r }"),
    ("range", "const r = req.range(+req.query.size, {combine: 'combine' in req.query}); "
     "res.json(r === undefined ? 'absent' : r === -1 ? 'unsatisfiable' : r === -2 ? 'malformed' : {type: r.type, ranges: r.map(x => [x.start, x.end])})",
     "local r, why = req:range(tonumber(req.query.size), { combine = req.query.combine ~= nil }); "
     "if not r then res:json(why or 'absent') else local t = {}; for i, x in ipairs(r) do t[i] = { x.first, x.last } end; res:json{ type = r.type, ranges = t } end"),
    ("fresh", "res.status(+(req.query.status || 200)); if (req.query.etag) res.set('ETag', req.query.etag); if (req.query.modified) res.set('Last-Modified', req.query.modified); "
     "const r = [req.fresh, req.stale]; res.status(200).removeHeader('ETag'); res.removeHeader('Last-Modified'); res.json(r)",
     "res:status(tonumber(req.query.status or 200)); if req.query.etag then res:set('ETag', req.query.etag) end; if req.query.modified then res:set('Last-Modified', req.query.modified) end; "
     "local r = { req.fresh, req.stale }; res:status(200):unset('ETag'):unset('Last-Modified'); res:json(r)"),
    ("conditional", "res.set('ETag', '\"v1\"').send('content')", "res:set('ETag', '\"v1\"'):send('content')"),
    ("conditional_date", "res.set('Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT').send('content')", "res:set('Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT'):send('content')"),
]

# A path, the requests for it.
PATTERNS = [
    ("/users/:id", ["/users/7", "/users/7/", "/users", "/users/", "/users/7/8", "/USERS/7", "/users/a%20b", "/users/%C3%A4", "/users/a+b", "/users/a.b", "/users/%zz", "/users/%2F"]),
    ("/*path", ["/a", "/a/b/c", "/", "", "/a/", "/a%20b/c", "/a//b"]),
    ("/files{/*path}", ["/files", "/files/", "/files/a", "/files/a/b", "/file"]),
    ("/:file{.:ext}", ["/a", "/a.b", "/a.b.c", "/.b", "/a."]),
    ("/users{/:id}/delete", ["/users/delete", "/users/7/delete", "/users//delete", "/users/7/8/delete"]),
    ("/:from-:to", ["/a-b", "/a-", "/a-b-c", "/-", "/ab"]),
    ("/a\\:b", ["/a:b", "/a", "/aXb"]),
    ('/:"user-id"', ["/7", "/"]),
    ("/{*path}", ["/", "", "/a", "/a/b"]),
    ("/flights/:from.:to", ["/flights/a.b", "/flights/a", "/flights/a.b.c"]),
    ("/x/:a/y/:b", ["/x/1/y/2", "/x/1/y", "/x/1/y/2/"]),
    ("/v{1}", ["/v", "/v1", "/v2"]),
    ("/:a{/:b{/:c}}", ["/1", "/1/2", "/1/2/3", "/1/2/3/4", "/1/2/"]),
    ("/name/:first{-:last}", ["/name/a", "/name/a-b", "/name/a-b-c", "/name/-b"]),
    ("/CaSe/Path", ["/case/path", "/CASE/PATH", "/CaSe/Path/"]),
    ("/", ["/", "", "//", "/a"]),
    ("/caf%C3%A9", ["/caf%C3%A9", "/caf%c3%a9"]),
    ("/:a/:b", ["/1/2", "/1", "/%31/%32"]),
    ("/files/*path/end", ["/files/a/b/end", "/files/a/END/", "/files/end", "/files//end", "/files/a/end/end", "/files/a/end/b", "/files/a%2Fb/end"]),
    ("/*a/x/*b", ["/1/x/2/x/3", "/1/x/2/x/", "/1/x/", "/1/x/x/x/2", "/x/x"]),
    ("/*a/*b", ["/1/2/3", "/1/2/", "/1"]),
    ("/*file.:ext", ["/a/b.tar.gz", "/a.b/c", "/.a", "/a.b/"]),
    ("/:a-*b", ["/1-2-3/4", "/1-", "/1/2-3"]),
    ("/*a-:b-*c", ["/1-2-3", "/1-2-3-4/5", "/1/2-3-4"]),
    ("/*path{/end}", ["/a/end", "/a/b", "/end"]),
]

# What is more than one handler: applications, routers, the order of things.
JAVASCRIPT = r"""
const express = require('express'), cookieParser = require('cookie-parser');
const offers = req => req.query.o === undefined ? [] : String(req.query.o).split(',');
const app = express();
app.disable('x-powered-by'); app.disable('etag');
app.use(cookieParser(['keyboard cat', 'older']));
%(probes)s
%(patterns)s
for (const verb of ['get', 'post', 'put', 'patch', 'delete', 'options', 'query', 'propfind', 'purge', 'report', 'search', 'mkcol', 'lock'])
  app[verb]('/verb/' + verb, (req, res) => res.send(verb));
app.get('/get_only', (req, res) => res.send('got'));
app.head('/head_own', (req, res) => res.set('X-Head', '1').end());
app.get('/head_own', (req, res) => res.send('x'));
app.all('/all', (req, res) => res.send('all ' + req.method));
app.route('/route').get((req, res) => res.send('get')).post((req, res) => res.send('post')).all((req, res) => res.send('all'));
app.get(['/either', '/or'], (req, res) => res.send('either'));
app.get('/chain', (req, res, next) => { res.locals.a = 'a'; next(); }, [(req, res, next) => { res.locals.a += 'b'; next(); }], (req, res) => res.send(res.locals.a + 'c'));
app.get('/skip', (req, res, next) => next('route'), (req, res) => res.send('not me'));
app.get('/skip', (req, res) => res.send('the next route'));
app.get('/order', (req, res) => res.send('first')); app.get('/order', (req, res) => res.send('second'));
app.get('/fails_next', (req, res, next) => next(Object.assign(new Error('x'), {status: 409})));
app.param('user', (req, res, next, value) => { req.seen = (req.seen || 0) + 1; req.user = 'user ' + value; next(); });
app.get('/param/:user', (req, res, next) => next()); app.get('/param/:user', (req, res) => res.json([req.user, req.seen, req.params.user]));
app.locals.title = 'shop';
app.get('/locals', (req, res) => res.json([app.locals.title, req.app.locals.title]));
app.set('own name', 7);
app.get('/settings', (req, res) => res.json([app.get('own name'), app.enabled('own name'), app.disabled('nothing'), app.get('subdomain offset'), app.get('jsonp callback name')]));
const router = express.Router();
router.use((req, res, next) => { res.set('X-Router', '1'); next(); });
router.get('/', (req, res) => res.json([req.url, req.baseUrl, req.originalUrl, req.path]));
router.get('/in/:id', (req, res) => res.json([req.url, req.baseUrl, req.originalUrl, req.params]));
router.get('/leave', (req, res, next) => next('router')); router.get('/leave', (req, res) => res.send('not me'));
app.use('/router', router);
app.get('/router/leave', (req, res) => res.send('behind the router'));
app.get('/router/after', (req, res) => res.send('after'));
const merging = express.Router({mergeParams: true}); merging.get('/:b', (req, res) => res.json(req.params)); app.use('/merge/:a', merging);
const apart = express.Router(); apart.get('/:b', (req, res) => res.json(req.params)); app.use('/apart/:a', apart);
const exact = express.Router({caseSensitive: true, strict: true}); exact.get('/Foo', (req, res) => res.send('Foo')); exact.get('/bar/', (req, res) => res.send('bar/')); app.use('/exact', exact);
const outer = express.Router(), innermost = express.Router(); innermost.get('/c', (req, res) => res.json([req.baseUrl, req.url])); outer.use('/b', innermost); app.use('/a', outer);
app.use(['/m1', '/m2'], (req, res) => res.json([req.baseUrl, req.url]));
app.use('/used', (req, res) => res.json([req.method, req.baseUrl, req.path]));
const sub = express(); sub.get('/', (req, res) => res.json([sub.mountpath, sub.path(), req.baseUrl, req.app === sub])); sub.get('/error', () => { throw new Error('x'); });
sub.use((err, req, res, next) => res.status(500).send('sub ' + err.message));
app.use('/sub', sub);
for (const [name, trust] of [['all', true], ['one', 1], ['loopback', 'loopback'], ['none', false], ['other', '10.0.0.0/8']]) {
  const proxied = express(); proxied.set('trust proxy', trust);
  proxied.get('/', (req, res) => res.json({ip: req.ip.replace('::ffff:', ''), ips: req.ips, protocol: req.protocol, secure: req.secure, host: req.host, hostname: req.hostname}));
  app.use('/trust/' + name, proxied);
}
const extended = express(); extended.set('query parser', 'extended'); extended.get('/', (req, res) => res.json(req.query)); app.use('/extended', extended);
const unparsed = express(); unparsed.set('query parser', false); unparsed.get('/', (req, res) => res.json(req.query)); app.use('/unparsed', unparsed);
const spaced = express(); spaced.set('json spaces', 2); spaced.set('json escape', true); spaced.get('/', (req, res) => res.json({a: ['<']})); app.use('/spaced', spaced);
const strict = express(); strict.enable('strict routing'); strict.enable('case sensitive routing'); strict.get('/Foo', (req, res) => res.send('Foo')); app.use('/strict', strict);
const offset = express(); offset.set('subdomain offset', 1); offset.get('/', (req, res) => res.json(req.subdomains)); app.use('/offset', offset);
const callback = express(); callback.set('jsonp callback name', 'cb'); callback.get('/', (req, res) => res.jsonp({a: 1})); app.use('/callback', callback);
for (const [name, parser] of [['json', express.json()], ['form', express.urlencoded({extended: false})], ['nested', express.urlencoded({extended: true})], ['text', express.text()]])
  app.post('/body/' + name, parser, (req, res) => res.json([req.body === undefined ? 'none' : req.body]));
app.get('/handled', () => { throw Object.assign(new Error('caught'), {status: 422}); });
app.use('/handled', (err, req, res, next) => res.status(err.status).json({caught: err.message}));
app.use((err, req, res, next) => { console.error = () => {}; next(err); });
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""

LUA = r"""
local fsd = require "fsd"
local json = require "fsd.json"
local function offers(req)
  local list = {}
  for offer in (req.query.o or ""):gmatch "[^,]+" do list[#list + 1] = offer end
  return list
end
local app = fsd.app()
app:set("etag", false)
app:set("secret", { "keyboard cat", "older" })
%(probes)s
%(patterns)s
for _, verb in ipairs{ "get", "post", "put", "patch", "delete", "options", "query", "propfind", "purge", "report", "search", "mkcol", "lock" } do
  app:method(verb:upper(), "/verb/" .. verb, function(req, res) res:send(verb) end)
end
app:get("/get_only", function(req, res) res:send "got" end)
app:head("/head_own", function(req, res) res:set("X-Head", "1"):finish() end)
app:get("/head_own", function(req, res) res:send "x" end)
app:all("/all", function(req, res) res:send("all " .. req.method) end)
app:route("/route"):get(function(req, res) res:send "get" end):post(function(req, res) res:send "post" end):all(function(req, res) res:send "all" end)
app:get({ "/either", "/or" }, function(req, res) res:send "either" end)
app:get("/chain", function(req, res, next) res.locals.a = "a"; next() end, { function(req, res, next) res.locals.a = res.locals.a .. "b"; next() end },
  function(req, res) res:send(res.locals.a .. "c") end)
app:get("/skip", function(req, res, next) next "route" end, function(req, res) res:send "not me" end)
app:get("/skip", function(req, res) res:send "the next route" end)
app:get("/order", function(req, res) res:send "first" end)
app:get("/order", function(req, res) res:send "second" end)
app:get("/fails_next", function(req, res, next) next{ status = 409, message = "x" } end)
app:param("user", function(req, res, value) req.seen = (req.seen or 0) + 1; req.user = "user " .. value end)
app:get("/param/:user", function(req, res, next) next() end)
app:get("/param/:user", function(req, res) res:json{ req.user, req.seen, req.params.user } end)
app.locals.title = "shop"
app:get("/locals", function(req, res) res:json{ app.locals.title, req.app.locals.title } end)
app:set("own name", 7)
app:get("/settings", function(req, res)
  res:json{ app:setting "own name", app:enabled "own name", app:disabled "nothing", app:setting "subdomain_offset", app:setting "jsonp_callback_name" }
end)
local router = fsd.router()
router:use(function(req, res, next) res:set("X-Router", "1"); next() end)
router:get("/", function(req, res) res:json{ req.url, req.base_url, req.original_url, req.path } end)
router:get("/in/:id", function(req, res) res:json{ req.url, req.base_url, req.original_url, req.params } end)
router:get("/leave", function(req, res, next) next "router" end)
router:get("/leave", function(req, res) res:send "not me" end)
app:use("/router", router)
app:get("/router/leave", function(req, res) res:send "behind the router" end)
app:get("/router/after", function(req, res) res:send "after" end)
local merging = fsd.router{ merge_params = true }
merging:get("/:b", function(req, res) res:json(req.params) end)
app:use("/merge/:a", merging)
local apart = fsd.router()
apart:get("/:b", function(req, res) res:json(req.params) end)
app:use("/apart/:a", apart)
local exact = fsd.router{ case_sensitive = true, strict = true }
exact:get("/Foo", function(req, res) res:send "Foo" end)
exact:get("/bar/", function(req, res) res:send "bar/" end)
app:use("/exact", exact)
local outer, innermost = fsd.router(), fsd.router()
innermost:get("/c", function(req, res) res:json{ req.base_url, req.url } end)
outer:use("/b", innermost)
app:use("/a", outer)
app:use({ "/m1", "/m2" }, function(req, res) res:json{ req.base_url, req.url } end)
app:use("/used", function(req, res) res:json{ req.method, req.base_url, req.path } end)
local sub = fsd.app()
sub:get("/", function(req, res) res:json{ sub.mountpath, sub:path(), req.base_url, req.app == sub } end)
sub:get("/error", function() error{ message = "x" } end)
sub:on_error(function(err, req, res) res:status(500):send("sub " .. err.message) end)
app:use("/sub", sub)
for name, trust in pairs{ all = true, one = 1, loopback = "loopback", none = false, other = "10.0.0.0/8" } do
  local proxied = fsd.app()
  proxied:set("trust_proxy", trust)
  proxied:get("/", function(req, res)
    res:json{ ip = req.ip, ips = req.ips, protocol = req.protocol, secure = req.secure, host = req.host, hostname = req.hostname }
  end)
  app:use("/trust/" .. name, proxied)
end
local function with(name, value, path, handler)
  local inner = fsd.app()
  inner:set(name, value)
  inner:get("/", handler)
  app:use(path, inner)
  return inner
end
with("query_parser", "extended", "/extended", function(req, res) res:json(req.query) end)
with("query_parser", false, "/unparsed", function(req, res) res:json(req.query) end)
with("json_spaces", 2, "/spaced", function(req, res) res:json{ a = { "<" } } end):set("json_escape", true)
with("subdomain_offset", 1, "/offset", function(req, res) res:json(req.subdomains) end)
with("jsonp_callback_name", "cb", "/callback", function(req, res) res:jsonp{ a = 1 } end)
local strict = fsd.app()
strict:set("strict_routing", true):set("case_sensitive_routing", true)
strict:get("/Foo", function(req, res) res:send "Foo" end)
app:use("/strict", strict)
for name, parser in pairs{ json = fsd.body.json{}, form = fsd.body.form{}, nested = fsd.body.form{ extended = true }, text = fsd.body.text{} } do
  app:post("/body/" .. name, parser, function(req, res) res:json{ req.body == nil and "none" or req.body } end)
end
local handled = fsd.router()
handled:get("/", function() error{ status = 422, message = "caught" } end)
handled:on_error(function(err, req, res) res:status(err.status):json{ caught = err.message } end)
app:use("/handled", handled)
return app
"""

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


def get(path, *headers, method="GET", body=None):
    return (method, path, [list(pair) for pair in headers], body)


def negotiations():
    for accept in [None, "", "*/*", "text/html", "application/json", "text/*", "text/*;q=.5, application/json", BROWSER, "text/html;q=0", "*/*;q=0.1, text/plain",
                   "application/json;q=0.9, text/html;q=0.8", "image/png", "text/html;level=1"]:
        headers = [] if accept is None else [("accept", accept)]
        for offers in ["?o=json,html", "?o=text/plain,html,png", "?o=nonsense"] + ([""] if accept in (None, BROWSER, "text/*;q=.5, application/json") else []):
            yield get("/accepts" + offers, *headers)
    for charset in [None, "utf-8", "utf-8;q=0.2, iso-8859-1", "*;q=0.5, utf-8;q=0"]:
        for offers in ["", "?o=utf-8", "?o=iso-8859-1,utf-8"]:
            yield get("/charsets" + offers, *([] if charset is None else [("accept-charset", charset)]))
    for encoding in [None, "gzip", "gzip, deflate;q=0.5", "identity;q=0, *", "br;q=0"]:
        for offers in ["", "?o=gzip", "?o=identity,gzip", "?o=br,deflate"]:
            yield get("/encodings" + offers, *([] if encoding is None else [("accept-encoding", encoding)]))
    for language in [None, "en", "en-US, de;q=0.5", "*;q=0.3, fr", "de-CH"]:
        for offers in ["", "?o=en", "?o=de,en", "?o=fr,en-US"]:
            yield get("/languages" + offers, *([] if language is None else [("accept-language", language)]))


def bodies():
    for kind in ["text/html", "application/json; charset=utf-8", "application/vnd.api+json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"]:
        for offers in ["", "?o=json,html", "?o=text/*,application/*", "?o=urlencoded,multipart", "?o=%2Bjson"]:
            yield get("/is" + offers, ("content-type", kind), method="POST", body="x")
    yield get("/is?o=json")
    yield get("/is?o=json", method="POST", body="x")
    for kind, name, body in [("application/json", "json", '{"a":[1,{"b":null}]}'), ("application/json", "json", "[1,2]"), ("application/json", "json", "7"), ("application/json", "json", "{"),
                             ("text/plain", "json", "{}"), ("application/x-www-form-urlencoded", "form", "a=1&b=x+y&a=2"), ("application/x-www-form-urlencoded", "form", ""),
                             ("application/x-www-form-urlencoded", "nested", "a[b]=1&a[c][]=2&d[]=3"), ("text/plain", "text", "hello"), ("text/html", "text", "hello"),
                             ("application/json; charset=utf-16", "json", "{}"), ("application/json; charset=nonsense", "json", "{}")]:
        yield get("/body/" + name, ("content-type", kind), method="POST", body=body)


def conditions():
    for size, header in [(1000, None), (1000, "bytes=0-499"), (1000, "bytes=-400"), (1000, "bytes=400-"), (1000, "bytes=0-0,-1"), (1000, "bytes=1000-"), (1000, "bytes=0-5000"),
                         (1000, "malformed"), (1000, "bytes=x-y"), (1000, "items=0-5"), (1000, "bytes=0-4,90-99,5-75,100-199,101-102"), (0, "bytes=0-1")]:
        for combine in ["", "&combine"]:
            yield get(f"/range?size={size}{combine}", *([] if header is None else [("range", header)]))
    tag, date = "?etag=%22a%22", "?modified=Sun,%2006%20Nov%201994%2008:49:37%20GMT"
    yield get("/fresh")
    yield get("/fresh" + tag)
    yield get("/fresh" + tag, ("if-none-match", '"a"'))
    yield get("/fresh" + tag, ("if-none-match", 'W/"a"'))
    yield get("/fresh" + tag, ("if-none-match", '"b", "a"'))
    yield get("/fresh" + tag, ("if-none-match", "*"))
    yield get("/fresh" + tag, ("if-none-match", '"b"'))
    yield get("/fresh" + tag + "&status=404", ("if-none-match", '"a"'))
    yield get("/fresh" + tag + "&status=201", ("if-none-match", '"a"'))
    yield get("/fresh" + tag, ("if-none-match", '"a"'), ("cache-control", "no-cache"))
    yield get("/fresh" + tag, ("if-none-match", '"a"'), method="POST")
    yield get("/fresh" + date, ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"))
    yield get("/fresh" + date, ("if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT"))
    yield get("/fresh" + date, ("if-modified-since", "nonsense"))
    yield get("/conditional", ("if-none-match", '"v1"'))
    yield get("/conditional", ("if-none-match", '"v2"'))
    yield get("/conditional", ("if-none-match", '"v1"'), method="POST")
    yield get("/conditional_date", ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"))
    yield get("/conditional_date", ("if-modified-since", "Sun, 06 Nov 1994 08:49:30 GMT"))


def queries():
    for query in ["", "?", "?a=1", "?a=1&b=2", "?a=1&a=2", "?a", "?a=", "?=1", "?a=b=c", "?a+b=c+d", "?a%20b=%26", "?a=%E2%82%AC", "?a=%zz", "?a[b]=1", "?a[]=1&a[]=2", "?&&a=1&&", "?a.b=1",
                  "?__proto__=1", "?toString=1"]:
        yield get("/req_query" + query)
    for query in ["?a=1", "?a=1&a=2", "?a[b]=1", "?a[b][c]=1", "?a[]=1&a[]=2", "?a[]=1", "?a[0]=x&a[1]=y", "?a[1]=y&a[0]=x", "?a[5]=x", "?a[19]=x", "?a[20]=x", "?a[0]=x&a[b]=y", "?a[0][b]=1&a[0][c]=2",
                  "?a[b][c][d][e][f][g]=1", "?[a]=1", "?[]=1", "?=1", "?a[b=1", "?a.b=1", "?a%5Bb%5D=1", "?a=1&a[]=2", "?a[__proto__][b]=1", "?a=1&a[b]=2", "?a[b]=1&a=2", "?a[b]=1&a[b]=2", "?0=1"]:
        yield get("/extended" + query)
    yield get("/unparsed?a=1")


def origins():
    for host in ["example.com", "example.com:3000", "tobi.ferrets.example.com", "127.0.0.1", "[::1]:80", "localhost", "a.b.c.d.example.co"]:
        yield get("/req_names", ("host", host))
    yield get("/req_names?x=1")
    yield get("/req_names/")
    yield get("/req_names", ("x-requested-with", "XMLHttpRequest"))
    yield get("/req_names", ("x-requested-with", "xmlhttprequest"))
    yield get("/req_names", ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example"))
    yield get("/req_get", ("x-a", "1"))
    yield get("/req_get", ("x-a", "1"), ("x-a", "2"))
    yield get("/req_get", ("referer", "http://a/"))
    yield get("/req_get")
    yield get("/offset", ("host", "a.b.example.com"))
    for name in ["all", "one", "loopback", "none", "other"]:
        yield get("/trust/" + name, ("host", "h.example"), ("x-forwarded-for", "1.1.1.1, 2.2.2.2"))
        yield get("/trust/" + name, ("host", "h.example"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "b.example:81"))
        yield get("/trust/" + name, ("host", "h.example"), ("x-forwarded-for", "1.1.1.1, 127.0.0.5"), ("x-forwarded-proto", "https, http"))
    yield get("/trust/all", ("host", "h.example"), ("x-forwarded-for", "garbage"))
    yield get("/trust/all", ("host", "h.example"), ("x-forwarded-proto", "ftp"))
    yield get("/trust/all", ("host", "h.example"), ("x-forwarded-for", "1.1.1.1:4711"))
    yield get("/trust/all", ("host", "h.example"), ("forwarded", "for=1.1.1.1;proto=https"))


def cookies():
    signed = "s%3Ahello.xz6khi6%2BoL1pnNhBgjk3Nr1CX2sxTjJiO9pKXaHZ33E"
    for cookie in ["a=1", "a=1; b=2", "a=%20%C3%A4", "a=%zz", 'a="x y"', "a=1; a=2", "a", "a=", "a=b=c", "a=j%3A%7B%22b%22%3A1%7D", "a=j%3A%7B", "a=j%3A0", "a=s%3Ax.y", "a=" + signed]:
        yield get("/req_cookies", ("cookie", cookie))
    yield get("/req_cookies")


def routes():
    for verb in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND", "PURGE", "REPORT", "SEARCH", "MKCOL", "LOCK"]:
        yield get("/verb/" + verb.lower(), method=verb)
    for method in ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]:
        yield get("/get_only", method=method)
    for path, methods in [("/head_own", ["HEAD", "GET"]), ("/all", ["GET", "POST", "DELETE", "HEAD", "PROPFIND"]), ("/route", ["GET", "POST", "PUT", "OPTIONS", "HEAD"]), ("/nowhere", ["GET", "POST", "OPTIONS", "HEAD"])]:
        for method in methods:
            yield get(path, method=method)
    for path in ["/either", "/or", "/either/", "/EITHER", "/chain", "/skip", "/order", "/fails_next", "/param/7", "/param/a%20b", "/locals", "/settings", "/router", "/router/", "/router?a=1", "/router/in/7",
                 "/router/in/7?a=1", "/router/leave", "/router/after", "/router/none", "/routers", "/merge/1/2", "/apart/1/2", "/exact/Foo", "/exact/foo", "/exact/Foo/", "/exact/bar/", "/exact/bar",
                 "/a/b/c", "/a/b", "/A/B/C", "/m1", "/m2/x", "/m1/x?y=1", "/m3", "/used", "/used/x/y", "/used/", "/usedx", "/sub", "/sub/", "/sub/error", "/sub/none", "/spaced", "/strict/Foo", "/strict/foo",
                 "/strict/Foo/", "/handled", "/jsonp?callback=f", "/jsonp?callback=a.b[0]", "/jsonp?callback=f;alert(1)", "/jsonp?callback=f&callback=g", "/callback?cb=f", "/callback?callback=f"]:
        yield get(path)
    yield get("/used/x", method="POST")
    for accept in [None, "text/html", "application/json", "text/plain", "image/png", "*/*", "text/html;q=0.1, application/json"]:
        headers = [] if accept is None else [("accept", accept)]
        yield get("/format", *headers)
        yield get("/format_default", *headers)
        yield get("/redirect", *headers)
    for name in ["send_text", "json_object", "send_status_404", "redirect", "set_one", "send_204", "write_pieces"]:
        yield get("/" + name, method="HEAD")


def requests():
    listed = [get("/" + name) for name, _, _ in PROBES if name not in ("range", "is")]
    for number, (_, paths) in enumerate(PATTERNS):
        listed += [get(f"/p{number}{path}") for path in paths]
    for part in (routes, negotiations, bodies, conditions, queries, origins, cookies):
        listed += part()
    unique = {json.dumps(request): request for request in listed}
    return list(unique.values())


def javascript():
    probes = "\n".join(f"app.all('/{name}', (req, res) => {{ {code} }});" for name, code, _ in PROBES)
    patterns = "\n".join(f"{{ const r = express.Router(); r.get({json.dumps(path)}, (req, res) => res.json(req.params)); app.use('/p{i}', r); }}"
                         for i, (path, _) in enumerate(PATTERNS))
    return JAVASCRIPT % {"probes": probes, "patterns": patterns}


def lua():
    probes = "\n".join(f'app:all("/{name}", function(req, res) {code} end)' for name, _, code in PROBES)
    patterns = "\n".join(f'do local r = fsd.router(); r:get({json.dumps(path)}, function(req, res) res:json(req.params) end); app:use("/p{i}", r) end'
                         for i, (path, _) in enumerate(PATTERNS))
    return LUA % {"probes": probes, "patterns": patterns}
