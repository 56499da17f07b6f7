-- Accounts: names and hashes of passwords (argon2id).  Nobody can read a password here, us included.
local fsd = require "fsd"

local M = {}

local accounts = fsd.shared("users")

-- What is verified where there is no such account, so that the time of an answer does not tell who has one.
local nobody

local function key_of(name) return "user:" .. name:lower() end

-- Whether the name was free.  Two who ask for it at a time do not both get it.
function M.create(name, password)
  if accounts:get(key_of(name)) then return false end
  return (accounts:add(key_of(name), { name = name, hash = fsd.crypto.password_hash(password) }))
end

-- The name as it was signed up, or nil.
function M.verify(name, password)
  if type(name) ~= "string" or type(password) ~= "string" or #name > 100 or #password > 200 then return nil end
  local account = accounts:get(key_of(name))
  nobody = nobody or fsd.crypto.password_hash("nobody's password")
  local is_password, needs_rehash = fsd.crypto.password_verify(account and account.hash or nobody, password)
  if not account or not is_password then return nil end
  if needs_rehash then
    account.hash = fsd.crypto.password_hash(password)
    accounts:replace(key_of(name), account)
  end
  return account.name
end

return M
