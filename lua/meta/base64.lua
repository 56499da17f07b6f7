---@meta fsd.base64

---Base64 (RFC 4648). Reading is strict unless told otherwise: of each value there is one text only, so that two texts that differ never
---mean the same. Long strings are converted in pieces, and let others run in between.
---@class fsd.base64
local base64 = {}

---@class fsd.base64.WriteOptions
---@field padding? boolean `=` at the end, false by default

---@class fsd.base64.ReadOptions
---@field strict? boolean false: both alphabets, with and without padding, whitespace anywhere; true by default

---@class fsd.base64.ReadUrlOptions
---@field strict? boolean false: both alphabets, with and without padding, whitespace anywhere; true by default
---@field padding? boolean whether `=` must stand at the end, where a strict text may have none otherwise; false by default

---With `+` and `/`, padded with `=`.
---@param data string at most 48 MiB
---@return string text
function base64.encode(data) end

---With `-` and `_`, for URLs, cookies and file names; not padded by default.
---@param data string at most 48 MiB
---@param options? fsd.base64.WriteOptions
---@return string text
function base64.encode_url(data, options) end

---Raises `Base64Error` with the code `base64.decode` (status 400) and the place: a character of another alphabet, missing or wrong
---padding, a text that is cut off, bits that would be lost.
---@param text string
---@param options? fsd.base64.ReadOptions
---@return string data
function base64.decode(text, options) end

---As `decode`, for what `encode_url` writes.
---@param text string
---@param options? fsd.base64.ReadUrlOptions
---@return string data
function base64.decode_url(text, options) end

return base64
