'use strict'
// The work of bench/web.py, as Fastify does it: hooks in place of middlewares, and schemas, which make its JSON fast.
const work = require('./work.js')
const app = require('fastify')({ keepAliveTimeout: 300000 })
const text = { type: 'string' }
const object = properties => ({ response: { 200: { type: 'object', properties } } })
const row = { type: 'object', properties: { id: { type: 'integer' }, name: text, owner: text, price: { type: 'number' },
  tags: { type: 'array', items: text }, note: text, ok: { type: 'boolean' } } }

app.get('/', (req, res) => { res.type('text/plain').send('Hello, World!') })
app.get('/users/:id/posts/:post', { schema: object({ id: text, post: text }) }, (req, res) => {
  res.send({ id: req.params.id, post: req.params.post })
})
app.post('/echo', (req, res) => { res.send(req.body) })

app.register((real, options, done) => {
  real.addHook('onRequest', (req, res, next) => { req.started = process.hrtime(); next() })
  real.addHook('onRequest', (req, res, next) => { res.header('x-request-id', req.headers['x-request-id'] ?? 'none'); next() })
  real.addHook('onRequest', (req, res, next) => {
    res.headers({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
    next()
  })
  real.addHook('onRequest', (req, res, next) => {
    if (req.headers.origin) res.header('access-control-allow-origin', req.headers.origin)
    next()
  })
  real.addHook('onRequest', (req, res, next) => { req.user = work.nameUser(req.headers); next() })
  real.get('/rows', { schema: object({ rows: { type: 'array', items: row } }) }, (req, res) => { res.send({ rows: work.findRows(req.user) }) })
  real.get('/page', (req, res) => { res.type('text/html; charset=utf-8').send(work.page(req.user, work.findRows(req.user))) })
  done()
}, { prefix: '/real' })

app.listen({ port: +process.env.PORT, host: '127.0.0.1', backlog: 4096 })
