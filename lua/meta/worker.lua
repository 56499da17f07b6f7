---@meta fsd.worker

---Which worker process this is.
---@class fsd.worker
local worker = {}

---@class fsd.worker.Self
---@field pool string name of its pool
---@field slot? integer its place in the pool, from 0; nil while the code loads: a standby gets its place when it takes one over
---@field workers integer how many places the pool has
---@field pid integer
---@field incarnation integer number of this process; no other one of this daemon has it
---@field generation? integer number of the code it runs; nil while that loads

---@return fsd.worker.Self
---@nodiscard
function worker.self() end

return worker
