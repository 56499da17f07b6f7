'use strict'
// What fastify.js and express.js have in common.
exports.findRows = user => {
  const rows = []
  for (let i = 1; i <= 20; i++) {
    rows.push({ id: i, name: 'item ' + i, owner: user, price: i * 3 + 0.25, tags: ['a', 'b'], note: '<fine> & good', ok: i % 2 === 0 })
  }
  return rows
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = value => String(value).replace(/[&<>"']/g, c => escapes[c])

exports.page = (user, rows) => {
  let out = `<!doctype html><html><head><title>${escape('Items')}</title></head><body><p>Hello, ${escape(user)}</p><table>\n`
  for (const row of rows) {
    out += `<tr><td>${escape(row.id)}</td><td>${escape(row.name)}</td><td>${escape(row.price)}</td><td>${escape(row.note)}</td>`
    out += `${row.ok ? '<td>yes</td>' : ''}</tr>\n`
  }
  return out + '</table></body></html>\n'
}

exports.nameUser = headers => headers.authorization === 'Bearer secret' ? 'alice' : 'guest'
