-- Opens one case a request, each under its own key.
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
function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout, latency:percentile(99)))
end
