-- For wrk: POST of 948 bytes of JSON.
local items = {}
for i = 1, 12 do
  items[i] = string.format('{"id":%d,"name":"item-%04d","price":%d.25,"tags":["a%d","b%d"],"ok":true}', i, i, i * 3, i, i)
end
local note = '{"user":"alice","note":"caf\\u00e9 \\"quoted\\"","nested":{"a":1,"b":[1,2,3,null]},"items":['
wrk.method = "POST"
wrk.body = note .. table.concat(items, ",") .. "]}"
wrk.headers["Content-Type"] = "application/json"
