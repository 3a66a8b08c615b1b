-- What wrk posts: over and over a batch, in which @ stands for a text that is new each time.
local head, parts, number, seed = {}, {}, 0, ""

function init(arguments)
    local file = io.open(arguments[1])
    local template = file:read("*a")
    file:close()
    for part in (template .. "@"):gmatch("([^@]*)@") do parts[#parts + 1] = part end
    head["Authorization"] = "Basic " .. arguments[2]
    head["Content-Type"] = "application/json"
    seed = arguments[3] .. tostring(parts):match("%x+$")
end

function request()
    number = number + 1
    return wrk.format("POST", "/v1/batch", head, table.concat(parts, seed .. number))
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "took_us": %d, "p50_us": %d, "p99_us": %d, "refused": %d, "broken": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
