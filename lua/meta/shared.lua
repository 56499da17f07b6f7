---@meta fsd.shared

---Dictionaries in memory that all workers of the daemon share: counters, limits, caches, sessions that may be lost.
---
---The configuration names them (`shared: { cache: { size: 16MiB } }`). `fsd.shared("cache")` is short for
---`fsd.shared.open("cache")`.
---
---* Keys are strings of 1 to 1024 bytes. Values are booleans, integers, floats, strings, and tables of those; what you get
---  is a copy of your own. A value has at most 1 MiB, and takes at most half of a part of the dictionary, which has up
---  to 16 parts.
---* Each function does one thing at once: no other worker sees half of it. None waits.
---* When the dictionary is full, what was not used for the longest time goes; `evicted` says that it happened.
---* A worker that dies while it changes something takes the values of that part of the dictionary with it (`resets` in `info`).
---  It is a cache: what must not be lost belongs into a database.
---* Times are in seconds and may have a fraction; without one, and with `math.huge`, a value stays until it has to make room.
---
---What fails raises a `SharedError`: `shared.unknown` (no such dictionary), `shared.gone` (not in the configuration any
---more), `shared.too_large`, `shared.not_a_number`, `shared.full` (of leases), `shared.busy` (status 503: a
---worker that stands still has it locked).
---@class fsd.shared
---@overload fun(name: string): fsd.shared.Dictionary
local shared = {}

---The dictionary of that name.
---
---Raises `SharedError` `shared.unknown` when the configuration has none.
---@param name string
---@return fsd.shared.Dictionary dictionary
---@nodiscard
function shared.open(name) end

---@alias fsd.shared.Value boolean|integer|number|string|table

---@class fsd.shared.Dictionary: userdata
local dictionary = {}

---The value of a key.
---@param key string
---@return fsd.shared.Value? value nil when there is none
---@nodiscard
function dictionary:get(key) end

---Puts a value, whatever was there; nil deletes.
---@param key string
---@param value? fsd.shared.Value
---@param ttl? number seconds
---@return boolean stored always true
---@return boolean evicted whether other keys had to go
function dictionary:set(key, value, ttl) end

---Puts a value if the key is not there.
---@param key string
---@param value fsd.shared.Value
---@param ttl? number seconds
---@return boolean stored
---@return boolean evicted whether other keys had to go
function dictionary:add(key, value, ttl) end

---Puts a value if the key is there.
---@param key string
---@param value fsd.shared.Value
---@param ttl? number seconds
---@return boolean stored
---@return boolean evicted whether other keys had to go
function dictionary:replace(key, value, ttl) end

---Adds to a number. The time to live of a key that is there stays as it is.
---
---Raises `SharedError` `shared.not_a_number` when something else is there.
---@param key string
---@param by number
---@param initial? number what a key starts with that is not there: it becomes `initial + by`
---@param ttl? number seconds, for a key that is not there
---@return number? sum nil when the key is not there and has no initial number
---@return boolean? evicted whether other keys had to go
function dictionary:incr(key, by, initial, ttl) end

---Puts a new value if the present one equals the old: `while not d:cas(key, old, f(old)) do old = d:get(key) end`.
---Numbers are compared as by `==`, tables cannot be compared.
---@param key string
---@param old? boolean|number|string nil: the key is not there
---@param new? fsd.shared.Value nil deletes
---@param ttl? number seconds, of the new value
---@return boolean swapped
---@return boolean evicted whether other keys had to go
function dictionary:cas(key, old, new, ttl) end

---Deletes a key.
---@param key string
---@return boolean existed
function dictionary:delete(key) end

---Gives a key another time to live, from now on.
---@param key string
---@param ttl? number seconds; without it, the key stays
---@return boolean existed
function dictionary:expire(key, ttl) end

---How long a key stays.
---@param key string
---@return number? seconds `math.huge` without an end, nil when the key is not there
---@nodiscard
function dictionary:ttl(key) end

---Keys, in no order. What comes or goes meanwhile may be in the list or not.
---@param max? integer 1024 by default
---@return string[] keys
---@nodiscard
function dictionary:keys(max) end

---Deletes everything, leases included.
function dictionary:flush_all() end

---How full it is.
---@return fsd.shared.Info info
---@nodiscard
function dictionary:info() end

---Takes a lease: the right to do something alone, until it is given back, or its time is over, or `flush_all`.
---Does not wait. Names of leases and keys do not meet, and a lease is never evicted.
---
---    local lease <close> = jobs:try_lock("nightly", { ttl = 60 })
---    if lease then ... end
---@param name string 1 to 1024 bytes
---@param options? fsd.shared.LockOptions
---@return fsd.shared.Lease? lease nil when somebody has it
---@nodiscard
function dictionary:try_lock(name, options) end

---@class fsd.shared.LockOptions
---@field ttl? number seconds, 30 by default: as long as it lasts when the worker that has it dies

---A lease that was taken. As a `<close>` variable it is given back at the end of the block.
---@class fsd.shared.Lease: userdata
local lease = {}

---Gives it back.
---@return boolean was_ours false: its time was over
function lease:unlock() end

---Makes it last so long from now on.
---@param ttl number seconds
---@return boolean is_ours false: its time was over
function lease:extend(ttl) end

---@class fsd.shared.Info
---@field name string
---@field capacity integer bytes for keys and values; an entry takes 128 bytes and more
---@field used integer bytes
---@field entries integer those whose time is over and that nobody has met since included
---@field evictions integer keys that had to make room
---@field resets integer how often a part was emptied because a worker died in it, or it was damaged

return shared
