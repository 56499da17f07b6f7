---@meta fsd.config

---What the operator's configuration says to this application. Under `fsd run` both tables are empty.
---@class fsd.config
---@field settings table the app's `settings`, of any shape; lists carry json.array_mt
---@field env table<string, string> the app's `env`; the same stands in the environment of the process, for os.getenv
---@field app string name of the app
---@field pool string name of the pool
local config = {}

return config
