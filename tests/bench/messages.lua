-- POSTs to the address that wrk is given, of one message or, with LINES in the environment, of so many on a line each.
local lines = tonumber(os.getenv("LINES") or "0")
local message = '{"device": "rooms/17/window", "degrees": 21.5, "at": "2026-01-01T00:00:00Z", "note": "a reading of common length"}'

wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
if lines > 0 then
    wrk.headers["Content-Type"] = "application/x-ndjson"
    wrk.body = string.rep(message .. "\n", lines)
else
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = message
end

function done(summary, latency, requests)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.stderr:write(string.format("rate %.1f failed %d p99 %.3f\n",
        summary.requests / summary.duration * 1e6, failed, latency:percentile(99) / 1000))
end
