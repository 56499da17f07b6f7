---@meta fsd.time

---The wall clock, and dates as text. Times are seconds since 1970; called as a function, the module is the clock: `fsd.time()` is
---`fsd.time.now()`. Zones are offsets from UTC, or "local", which is the system's; names of zones are not known.
---@class fsd.time
---@overload fun(): number
local time = {}

---@class fsd.time.FormatOptions
---@field zone? string|integer "Z" (the default), "+02:00", "local", or seconds east of Greenwich
---@field digits? integer of the fraction, 0 to 9, 0 by default; what is behind them is cut off

---Seconds since 1970, with fraction; the clock may be set, also backwards.
---@return number seconds
---@nodiscard
function time.now() end

---A time as RFC 3339 wants it: "2026-11-22T16:30:00Z".
---@param seconds? number now by default; of the years 0 to 9999
---@param options? fsd.time.FormatOptions
---@return string
function time.format(seconds, options) end

---Reads a date of RFC 3339 or ISO 8601: "2026-11-22T16:30:05.25+01:00"; the time, its seconds and the offset may be left away (then it is UTC).
---Raises `TimeError` with the code `time.parse` (status 400).
---@param text string
---@return number seconds an integer if there is no fraction
---@return integer? offset seconds east of Greenwich; nil when the text does not say it
function time.parse(text) end

---A time as heads of HTTP have it: "Sun, 06 Nov 1994 08:49:37 GMT".
---@param seconds? number now by default
---@return string
function time.http(seconds) end

---Reads such a time. Raises `TimeError` with the code `time.parse` (status 400).
---@param text string
---@return integer seconds
function time.parse_http(text) end

---A time by a format as C's `strftime` has it ("%d.%m.%Y %H:%M"), with English names.
---@param format string
---@param seconds? number now by default
---@param zone? string|integer as of `format`
---@return string
function time.strftime(format, seconds, zone) end

---Reads a duration of parts with the units ms, s, m, h, d and w, such as "250ms", "5m", "1h30m". Raises `TimeError` with the code
---`time.duration` (status 400).
---@param text string
---@return number seconds
function time.duration(text) end

return time
