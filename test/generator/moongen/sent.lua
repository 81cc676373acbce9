-- SPDX-License-Identifier: Apache-2.0
--- When MoonGen's script sends, on a clock of this file's own: sent.lua SCRIPT PATTERN INTERVAL-US SEED COUNT.
local script, pattern, interval, seed, count = unpack(arg)
local now = 0
local function nothing() end

package.preload.moongen = function()
	return { getTime = function() return now end, running = function() return true end }
end
package.preload.timer = function()
	return { new = function(_, wait) return { busyWait = function() now = now + wait end } end }
end
package.preload.timestamping = function()
	local function measureLatency(_, prepare)
		local packet = { eth = { setDstString = nothing } }
		prepare({ getEthernetPacket = function() return packet end })
		print(string.format("%.0f", now * 10 ^ 9))
		-- It is back before the next is due.
		now = now + 10 ^ -7
		return 100
	end
	return { newTimestamper = function() return { measureLatency = measureLatency } end }
end
package.preload.histogram = function()
	return { new = function() return { update = nothing, save = nothing } end }
end
package.preload.log = function()
	return { info = nothing, fatal = function(_, ...) error(string.format(...)) end }
end
package.preload.device = function() return {} end

dofile(script)
measure(nil, nil, {
	pattern = pattern,
	interval_us = tonumber(interval),
	seed = tonumber(seed),
	count = tonumber(count),
	mac = "52:54:00:00:00:02",
	output = "none",
})
