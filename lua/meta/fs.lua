---@meta fsd.fs

---Files and folders. Files on disks can't be waited for as sockets can: long ones are read and written in pieces, with the other tasks in between,
---and what is to be on the disk for sure (`sync`) is put there by a helper process, while the task waits. A disk that does not answer, or a network
---file system, holds the worker all the same.
---
---What the system refuses raises `FsError` with a message such as `cannot open "x": No such file or directory` and one of the codes
---`fs.not_found`, `fs.exists`, `fs.permission`, `fs.is_directory`, `fs.not_directory`, `fs.not_empty`, `fs.no_space`, `fs.too_large`,
---`fs.too_many` (open files), `fs.link`, `fs.failed`. Never put together a path from what a client has sent; see the guide.
---@class fsd.fs
local fs = {}

---@class fsd.fs.WriteOptions
---@field atomic? boolean whether others see the whole new contents or the old ones, never a part: true by default
---@field mode? integer permissions; those of the file that is there, else 438 (0666) without the umask
---@field sync? boolean whether it is on the disk when this returns; by default it is when it is atomic

---@class fsd.fs.AppendOptions
---@field mode? integer permissions of a new file
---@field sync? boolean whether it is on the disk when this returns, false by default

---@class fsd.fs.StatOptions
---@field follow? boolean whether a link is what it leads to, true by default

---@class fsd.fs.MkdirOptions
---@field parents? boolean whether the folders above are made too, and one that is there will do; false by default
---@field mode? integer permissions, 511 (0777) without the umask by default

---@class fsd.fs.RemoveOptions
---@field recursive? boolean whether a folder goes with what is in it; links in it are removed, not followed; false by default

---@class fsd.fs.TempOptions
---@field folder? string by default TMPDIR or /tmp
---@field prefix? string what its name begins with, "fsd-" by default

---@alias fsd.fs.Type "file"|"directory"|"link"|"fifo"|"socket"|"device"|"unknown"

---@class fsd.fs.Stat
---@field type fsd.fs.Type
---@field size integer bytes
---@field mode integer permissions
---@field uid integer
---@field gid integer
---@field inode integer
---@field links integer
---@field modified number seconds since 1970: its contents
---@field changed number seconds since 1970: its contents, or what is said of it

---@class fsd.fs.Event
---@field kind "created"|"removed"|"modified"|"written"|"attributes"|"gone"|"overflow" "written": closed by who wrote; "gone": what is watched was removed or moved; "overflow": some events were dropped
---@field name? string of what is in the folder
---@field is_directory boolean

---All of a file.
---@param path string
---@param max? integer bytes; more raises `fs.too_large`; 64 MiB by default, which is also the most
---@return string data
function fs.read(path, max) end

---A file piece by piece, however long: `for piece in fs.chunks(path) do`.
---@param path string
---@param size? integer bytes, up to 256 KiB, which is the default
---@return fun(): string?
function fs.chunks(path, size) end

---Writes a file. By default the data go into a file beside it, to the disk, and then take its place; a link is replaced, too. Code that is being
---loaded can't wait, and needs `sync = false`.
---@async
---@param path string
---@param data string
---@param options? fsd.fs.WriteOptions
function fs.write(path, data, options) end

---Writes behind what is there.
---@async
---@param path string
---@param data string
---@param options? fsd.fs.AppendOptions
function fs.append(path, data, options) end

---Copies a file; others see all of it or nothing. It has the permissions of the first one, unless `mode` says others.
---@async
---@param from string
---@param to string
---@param options? fsd.fs.AppendOptions
function fs.copy(from, to, options) end

---The names in a folder, in order, and what each is.
---@param path string
---@return string[] names
---@return table<string, fsd.fs.Type> types
function fs.list(path) end

---What is known of a file; nil when there is none.
---@param path string
---@param options? fsd.fs.StatOptions
---@return fsd.fs.Stat?
function fs.stat(path, options) end

---Whether there is something, links followed.
---@param path string
---@return boolean
function fs.exists(path) end

---The path without links, "." and ".."; nil when there is nothing.
---@param path string
---@return string?
function fs.real_path(path) end

---Makes a folder.
---@param path string
---@param options? fsd.fs.MkdirOptions
---@return boolean made false: it was there
function fs.mkdir(path, options) end

---Removes a file, a link or a folder.
---@param path string
---@param options? fsd.fs.RemoveOptions
---@return boolean removed false: it was not there
function fs.remove(path, options) end

---Gives a file another name, in the same file system; what has that name is replaced.
---@param from string
---@param to string
function fs.rename(from, to) end

---A new empty file with a name of its own, which only this user can read.
---@param options? fsd.fs.TempOptions
---@return string path to be removed by who made it
---@return fsd.fs.File file
function fs.temp_file(options) end

---Opens a file: "r" to read, "w" to write it anew, "a" to write behind its end, "r+" for both, "x" to write a new one. To be held as
---`local file <close> = fs.open(...)`.
---@param path string
---@param how? "r"|"w"|"a"|"r+"|"x" "r" by default
---@param mode? integer permissions of a new file, 438 (0666) without the umask by default
---@return fsd.fs.File
function fs.open(path, how, mode) end

---Watches a file, or what is in a folder (not below). With a function, a task calls it for each event, until the watcher is closed. To be held as
---`local watcher <close> = fs.watch(path)`.
---@param path string
---@param fn? fun(event: fsd.fs.Event)
---@return fsd.fs.Watcher
function fs.watch(path, fn) end

---An open file. It is closed when it is collected, at the latest.
---@class fsd.fs.File
local file = {}

---The next bytes; nil at the end.
---@param n? integer up to 256 KiB, which is the default
---@return string?
function file:read(n) end

---Writes all of it.
---@param data string
---@return fsd.fs.File self
function file:write(data) end

---Moves to a place, and says where that is.
---@param whence? "set"|"cur"|"end" "cur" by default
---@param offset? integer 0 by default
---@return integer position
function file:seek(whence, offset) end

---Waits until all that was written is on the disk.
---@async
---@return fsd.fs.File self
function file:sync() end

---Raises when the system says only now that what was written is lost.
function file:close() end

---Tells of changes. The kernel keeps some thousand events while nobody takes them.
---@class fsd.fs.Watcher
local watcher = {}

---Waits for the next event; nil when the watcher is closed. One task at a time.
---@async
---@return fsd.fs.Event?
function watcher:next() end

---Whoever waits gets nil.
function watcher:close() end

return fs
