-- What wrk asks: in turn the lines of a file, each a path and, after a tab, a token or nothing.
local asks, number = {}, 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        local path, token = line:match("^([^\t]*)\t(.*)$")
        local headers = {}
        if token ~= "" then headers["Authorization"] = "Bearer " .. token end
        asks[#asks + 1] = wrk.format("GET", path, headers)
    end
end

function request()
    number = number % #asks + 1
    return asks[number]
end

-- One line of JSON, times in microseconds.
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "took_us": %d, "p50_us": %d, "p99_us": %d, "refused": %d, "broken": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
