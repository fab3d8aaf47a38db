-- Takes cases through four commands; what to send next comes from the answers.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")
local thread = 0
function setup(t) t:set("number", thread); thread = thread + 1 end
function init(args)
  count = 0; run = args[1]; waiting = {}; steps = {}
  -- the rest: token, path, body of each step in turn, and the state that leads to it
  for at = 2, #args, 4 do
    steps[#steps + 1] = { state = args[at], token = args[at + 1], path = args[at + 2], body = args[at + 3] }
  end
  by_state = {}
  for _, step in ipairs(steps) do by_state[step.state] = step end
end
function request()
  count = count + 1
  local step, id = steps[1], ""
  if #waiting > 0 then
    local next = table.remove(waiting)
    step, id = next.step, next.id
  end
  return wrk.format("POST", (string.gsub(step.path, "ID", id)), {
    ["authorization"] = step.token, ["content-type"] = "application/json",
    ["idempotency-key"] = run .. "-" .. number .. "-" .. count,
  }, step.body)
end
function response(status, headers, body)
  local id, state = string.match(body, '"id":"([^"]+)","state":"([^"]+)"')
  if id and by_state[state] then waiting[#waiting + 1] = { step = by_state[state], id = id } end
end
