-- Opens one case a request, each under its own key.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")
local thread = 0
function setup(t) t:set("number", thread); thread = thread + 1 end
function init(args) count = 0; token = args[1]; path = args[2]; body = args[3]; run = args[4] end
function request()
  count = count + 1
  return wrk.format("POST", path, {
    ["authorization"] = token, ["content-type"] = "application/json",
    ["idempotency-key"] = run .. "-" .. number .. "-" .. count,
  }, body)
end
