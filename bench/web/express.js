'use strict'
// The work of bench/web.py, as Express does it.
const express = require('express')
const work = require('./work.js')
const app = express()
app.disable('x-powered-by')

app.get('/', (req, res) => { res.type('text/plain').send('Hello, World!') })
app.get('/users/:id/posts/:post', (req, res) => { res.json({ id: req.params.id, post: req.params.post }) })
app.post('/echo', express.json(), (req, res) => { res.json(req.body) })
app.use('/static', express.static(process.env.BENCH_FILES))

const real = express.Router()
real.use((req, res, next) => { req.started = process.hrtime(); next() })
real.use((req, res, next) => { res.set('x-request-id', req.get('x-request-id') ?? 'none'); next() })
real.use((req, res, next) => {
  res.set({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
  next()
})
real.use((req, res, next) => {
  const origin = req.get('origin')
  if (origin) res.set('access-control-allow-origin', origin)
  next()
})
real.use((req, res, next) => { req.user = work.nameUser(req.headers); next() })
real.get('/rows', (req, res) => { res.json({ rows: work.findRows(req.user) }) })
real.get('/page', (req, res) => { res.send(work.page(req.user, work.findRows(req.user))) })
app.use('/real', real)

app.listen(+process.env.PORT, '127.0.0.1', 4096).keepAliveTimeout = 300000
