---@meta fsd.worker

---Which worker process this is, which others there are, actors in any of them, and pools of more.
---@class fsd.worker
local worker = {}

---@class fsd.worker.Self
---@field pool string name of its pool
---@field slot? integer its place in the pool, from 0; nil while the code loads: a standby gets its place when it takes one over
---@field workers integer how many places the pool has
---@field pid integer
---@field incarnation integer number of this process; no other one of this daemon has it
---@field memory integer bytes that the values of all Lua code in it take
---@field generation? integer number of the code it runs; nil while that loads

---@return fsd.worker.Self
---@nodiscard
function worker.self() end

---@class fsd.worker.Lag
---@field turns integer turns of the event loop until now
---@field p50 number seconds that half of them did not reach
---@field p99 number seconds that 99 of 100 did not reach
---@field max number seconds that the longest took
---@field counts integer[] turns below 1 ms, from 1 ms to below 2 ms, from 2 ms to below 4 ms, and so on

---How long the turns of the worker's event loop took: whatever comes in such a time waits for as long. Lua that
---computes is interrupted after 2 ms; what takes longer is C, or several tasks one after the other.
---@return fsd.worker.Lag
---@nodiscard
function worker.lag() end

---@class fsd.worker.Place
---@field slot integer
---@field pool string
---@field incarnation integer number of the process: another one that serves the slot later has another number
---@field is_self boolean

---The workers in which an actor can be started, of all pools: those that serve a slot and whose application has required
---fsd.actor, in the order of pools and slots. A standby is in none.
---@return fsd.worker.Place[]
---@nodiscard
function worker.list() end

---Starts an actor in any worker of the own pool, each time in the next one; or where options.on says, see fsd.actor.spawn.
---@async
---@param module string
---@param args? any
---@param options? fsd.actor.Options
---@return fsd.Pid pid
---@return fsd.Ref? ref when it is monitored
function worker.spawn(module, args, options) end

---The keys of `pools.NAME` in the configuration, with the same values: durations and sizes are strings ("5s", "64MiB").
---@class fsd.worker.PoolOptions
---@field app? string an app of the configuration; default: the own one
---@field listeners? table<string, { listen: string }> new listeners, which go with the pool; no Unix sockets, no ports below 1024
---@field count? integer|"auto" workers
---@field standby? integer|"auto" workers in reserve
---@field restart? "permanent"|"transient"|"temporary"
---@field intensity? integer|"auto" the pool gives up at more restarts than this ...
---@field period? string ... within this time
---@field after? string[] pools and supervisors that must serve first
---@field boot? string
---@field heartbeat? string
---@field drain? string
---@field shutdown? string
---@field limits? { request_timeout?: string, cpu?: string, keepalive?: string, replaced?: string, body?: string, memory?: string, actor_memory?: string, header_timeout?: string, body_timeout?: string, write_timeout?: string, url_bytes?: string, header_bytes?: string, headers?: integer, connections?: integer, connections_per_ip?: integer }
---@field compress? { level?: integer, min_size?: string }

---Starts a pool of workers that the daemon supervises like those of its configuration, and returns when it serves. It belongs to the
---daemon: it is there until `stop_pool` or the daemon's end. Raises a PoolError with code "exists", "invalid", "overload", "refused" or
---"timeout"; but for the last, nothing is changed then.
---@async
---@param name string
---@param options fsd.worker.PoolOptions
---@param seconds? number how long to wait, default 60; what was asked for may still come later
function worker.start_pool(name, options, seconds) end

---Stops a pool that was started by `start_pool`, whoever did that; its workers finish what they have begun. Raises a PoolError with code
---"unknown" when there is none, "refused" when another one needs it, or "timeout".
---@async
---@param name string
---@param seconds? number how long to wait, default 60
function worker.stop_pool(name, seconds) end

---@class fsd.worker.Pool
---@field name string
---@field app string
---@field count integer workers that it is to have
---@field state "starting"|"running"|"degraded"|"held"|"drained"|"stopping"
---@field origin "config"|"lua"

---All pools of the daemon.
---@async
---@return fsd.worker.Pool[]
---@nodiscard
function worker.pools() end

return worker
