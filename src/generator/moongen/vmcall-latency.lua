-- SPDX-License-Identifier: Apache-2.0
--- Round trips on the pattern of vmcall-generator, timestamped by the NIC: see README.md beside this.
local mg     = require "moongen"
local device = require "device"
local hist   = require "histogram"
local log    = require "log"
local timer  = require "timer"
local ts     = require "timestamping"
local ffi    = require "ffi"

function configure(parser)
	parser:description("Sends one packet at a time on a pattern of vmcall-generator and saves how long each took to come back.")
	parser:argument("tx", "Port to send from."):convert(tonumber)
	parser:argument("rx", "Port the packets come back to; may be the same."):convert(tonumber)
	parser:argument("mac", "MAC address of the NIC in the guest.")
	parser:option("--count", "Packets."):default(1000):convert(tonumber)
	parser:option("--interval-us", "Gap of the constant pattern, us."):default(350):convert(tonumber)
	parser:option("--pattern", "constant, uniform:LOW:HIGH or poisson:MEAN, in us."):default("constant")
	parser:option("--seed", "Of the random patterns."):default(1):convert(tonumber)
	parser:option("--output", "CSV for vmcall import --format moongen."):default("moongen.csv")
	return parser:parse()
end

--- SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the gaps of src/generator/pattern.c.
local function randomSource(seed)
	local state = ffi.cast("uint64_t", seed)
	return function()
		state = state + 0x9e3779b97f4a7c15ULL
		local z = state
		z = bit.bxor(z, bit.rshift(z, 30)) * 0xbf58476d1ce4e5b9ULL
		z = bit.bxor(z, bit.rshift(z, 27)) * 0x94d049bb133111ebULL
		return bit.bxor(z, bit.rshift(z, 31))
	end
end

--- The upper half of a 128-bit product.
local function multiplyHigh(a, b)
	local function low(value) return bit.band(value, 0xffffffffULL) end
	local function high(value) return bit.rshift(value, 32) end
	local crossed, other = low(a) * high(b), high(a) * low(b)
	local carry = high(high(low(a) * low(b)) + low(crossed) + low(other))
	return high(a) * high(b) + high(crossed) + high(other) + carry
end

--- A function that gives the gap after each packet, in ns, as a number.
function patternOf(text, intervalUs, seed)
	local random = randomSource(seed)
	local name, first, second = text:match("^(%l+):?(%d*):?(%d*)$")
	first, second = tonumber(first), tonumber(second)
	if name == "constant" and not first then
		return function() return intervalUs * 1000 end
	elseif name == "uniform" and first and second and first <= second and second <= 60000000 then
		local range = ffi.cast("uint64_t", (second - first) * 1000 + 1)
		return function() return first * 1000 + tonumber(multiplyHigh(random(), range)) end
	elseif name == "poisson" and first and first > 0 and not second then
		return function()
			local unit = (tonumber(bit.rshift(random(), 11)) + 1) * 2 ^ -53
			return math.min(math.floor(-math.log(unit) * first * 1000), 60000000000)
		end
	end
	log:fatal("--pattern %s: wanted constant, uniform:LOW:HIGH or poisson:MEAN", text)
end

function master(args)
	local txDev = device.config{ port = args.tx, txQueues = 1, rxQueues = 1 }
	local rxDev = args.tx == args.rx and txDev or device.config{ port = args.rx, txQueues = 1, rxQueues = 1 }
	device.waitForLinks()
	mg.startTask("measure", txDev:getTxQueue(0), rxDev:getRxQueue(0), args)
	mg.waitForTasks()
end

function measure(txQueue, rxQueue, args)
	local gap = patternOf(args.pattern, args.interval_us, args.seed)
	local timestamper = ts:newTimestamper(txQueue, rxQueue)
	local latencies = hist:new()
	local sent, lost, postponed = 0, 0, 0
	local due = mg.getTime()
	while sent < args.count and mg.running() do
		local wait = due - mg.getTime()
		if wait > 0 then
			timer:new(wait):busyWait()
		elseif sent > 0 then
			-- As the generator has it: a packet that is late moves those behind it as much.
			due, postponed = mg.getTime(), postponed + 1
		end
		local latency = timestamper:measureLatency(function(buf)
			buf:getEthernetPacket().eth:setDstString(args.mac)
		end)
		sent = sent + 1
		if latency then
			latencies:update(latency)
		else
			lost = lost + 1
		end
		due = due + gap() / 10 ^ 9
	end
	latencies:save(args.output)
	log:info("%d sent, %d did not come back, %d postponed", sent, lost, postponed)
end
