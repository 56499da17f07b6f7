---@meta fsd.hex

---Bytes as hexadecimal digits. Long strings are converted in pieces, and let others run in between.
---@class fsd.hex
local hex = {}

---Two digits for each byte, in small letters.
---@param data string at most 32 MiB
---@return string text
function hex.encode(data) end

---The bytes that a text of digits stands for; letters of either case.
---
---Raises `HexError` with the code `hex.decode` (status 400) when it is none.
---@param text string
---@return string data
function hex.decode(text) end

return hex
