-- How every script ends: what was answered, and how fast.
function done(summary, latency)
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    summary.errors.status, broken, latency:percentile(50), latency:percentile(99)))
end
