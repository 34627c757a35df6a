"""The emitted Verilog's AXI ports against the models of cocotbext-axi, which check bursts, alignments and identifiers on their own."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteRam, AxiMaster, AxiRam, AxiResp

RAM_BYTES = 1 << 16
WORD_BYTES = 8
SCRATCH_WORDS = 512
MEMORY_BYTES = 8192
TIMEOUT_CYCLES = 20_000


def hesitant(seed, share):
    """Holds a channel back in some cycles."""
    pick = random.Random(seed)
    while True:
        yield pick.random() < share


async def reset(dut):
    """Starts the clock and resets all, after the models have taken hold of their signals."""
    cocotb.start_soon(Clock(dut.clk, 10, units="ns").start())
    for name in [
        "reads_valid", "writes_valid", "mem_stall", "mem_seed", "mem_error_start", "mem_error_bytes", "lite_bus_request_valid",
    ]:
        getattr(dut, name).value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)


async def cycles_until(dut, condition):
    for _ in range(TIMEOUT_CYCLES):
        await RisingEdge(dut.clk)
        if condition():
            return
    raise AssertionError("the hardware does not answer")


async def give(dut, side, descriptors):
    """Hands descriptors to an engine and waits until all are done."""
    done = 0
    signal = dut.read_done if side == "reads" else dut.write_done
    valid, ready = getattr(dut, f"{side}_valid"), getattr(dut, f"{side}_ready")

    async def count():
        nonlocal done
        while True:
            await RisingEdge(dut.clk)
            done += int(signal.value)

    counter = cocotb.start_soon(count())
    for descriptor in descriptors:
        for field, value in descriptor.items():
            port = getattr(dut, f"{side}_next_{field}", None)
            if port is not None:
                port.value = value % (1 << len(port))
        valid.value = 1
        await cycles_until(dut, lambda: int(ready.value))
    valid.value = 0
    await cycles_until(dut, lambda: done == len(descriptors))
    counter.kill()


def descriptor(pick):
    """A descriptor that stays in the memory, with any alignment and any steps."""
    bytes_, n1, n2 = pick.choice([(pick.randint(1, 40), 4, 3), (pick.randint(1, 600), 2, 1), (pick.randint(1, 2100), 1, 1)])
    d = {
        "bytes": bytes_,
        "n1": pick.randint(1, n1),
        "n2": pick.randint(1, n2),
        "s1": pick.randint(-1500, 1500),
        "s2": pick.randint(-3000, 3000),
        "local": pick.randrange(SCRATCH_WORDS),
        "d1": pick.randint(-40, 40),
        "d2": pick.randint(-40, 40),
        "fill": pick.randrange(256),
    }
    d["external"] = pick.randint(9_000, RAM_BYTES - 12_000)
    return d


def runs(d):
    """Where each run lies in external memory and in the scratchpad, in order (docs/dma.md)."""
    for j in range(d["n2"]):
        for i in range(d["n1"]):
            yield d["external"] + i * d["s1"] + j * d["s2"], d["local"] + i * d["d1"] + j * d["d2"]


def load(memory, scratch, d):
    for external, local in runs(d):
        data = memory[external:external + d["bytes"]]
        data += bytes([d["fill"]]) * (-len(data) % WORD_BYTES)
        for k in range(0, len(data), WORD_BYTES):
            scratch[(local + k // WORD_BYTES) % SCRATCH_WORDS] = data[k:k + WORD_BYTES]


def store(memory, scratch, d):
    for external, local in runs(d):
        words = [scratch[(local + k) % SCRATCH_WORDS] for k in range(-(-d["bytes"] // WORD_BYTES))]
        memory[external:external + d["bytes"]] = b"".join(words)[:d["bytes"]]


async def move(dut, seed, share):
    pick = random.Random(seed)
    ram = AxiRam(AxiBus.from_prefix(dut, "dma_axi"), dut.clk, dut.rst, size=RAM_BYTES)
    await reset(dut)
    if share:
        channels = [ram.write_if.aw_channel, ram.write_if.w_channel, ram.write_if.b_channel, ram.read_if.ar_channel, ram.read_if.r_channel]
        for number, channel in enumerate(channels):
            channel.set_pause_generator(hesitant(seed + number, share))
    memory = bytearray(pick.randbytes(RAM_BYTES))
    ram.write(0, bytes(memory))
    # The whole scratchpad first, so that all of it is known.
    whole = {"external": 0, "bytes": 4096, "n1": 1, "n2": 1, "s1": 0, "s2": 0, "local": 0, "d1": 0, "d2": 0, "fill": 0}
    scratch = [None] * SCRATCH_WORDS
    await give(dut, "reads", [whole])
    load(memory, scratch, whole)
    for _ in range(8):
        loads, stores = [descriptor(pick) for _ in range(5)], [descriptor(pick) for _ in range(5)]
        await give(dut, "reads", loads)
        for d in loads:
            load(memory, scratch, d)
        await give(dut, "writes", stores)
        for d in stores:
            store(memory, scratch, d)
        assert ram.read(0, RAM_BYTES) == bytes(memory)
    assert not int(dut.read_status_halted.value) and not int(dut.write_status_halted.value)
    assert int(dut.read_status_idle.value) and int(dut.write_status_idle.value)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def the_engines_move_bytes_to_and_from_axi_ram(dut):
    await move(dut, 1, 0)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def the_engines_move_bytes_while_every_channel_hesitates(dut):
    await move(dut, 2, 0.4)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def the_memory_serves_axi_master(dut):
    pick = random.Random(3)
    master = AxiMaster(AxiBus.from_prefix(dut, "mem_axi"), dut.clk, dut.rst)
    await reset(dut)
    dut.mem_seed.value = 12345
    await ClockCycles(dut.clk, 1)
    await master.write(0, bytes(MEMORY_BYTES))
    memory = bytearray(MEMORY_BYTES)
    for k in range(120):
        dut.mem_stall.value = k // 30 % 2
        address = pick.randrange(MEMORY_BYTES)
        length = min(pick.choice([pick.randint(1, 20), pick.randint(1, 1200)]), MEMORY_BYTES - address)
        if pick.random() < 0.5:
            data = pick.randbytes(length)
            assert (await master.write(address, data)).resp == AxiResp.OKAY
            memory[address:address + length] = data
        else:
            answer = await master.read(address, length)
            assert answer.resp == AxiResp.OKAY and answer.data == bytes(memory[address:address + length])
    assert (await master.read(0, MEMORY_BYTES)).data == bytes(memory)
    # Beyond the end there is nothing.
    assert (await master.read(MEMORY_BYTES, 16)).resp == AxiResp.DECERR
    assert (await master.write(MEMORY_BYTES, b"12345678")).resp == AxiResp.DECERR
    # A region that fails, and what lies beside it.
    dut.mem_error_start.value = 1024
    dut.mem_error_bytes.value = 64
    assert (await master.write(1024, b"12345678")).resp == AxiResp.SLVERR
    assert (await master.read(1080, 8)).resp == AxiResp.SLVERR
    assert (await master.read(1088, 8)).data == bytes(memory[1088:1096])


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def the_adapter_loads_and_stores_in_axi_lite_ram(dut):
    pick = random.Random(4)
    ram = AxiLiteRam(AxiLiteBus.from_prefix(dut, "lite_axi"), dut.clk, dut.rst, size=1024)
    await reset(dut)
    channels = [ram.write_if.aw_channel, ram.write_if.w_channel, ram.write_if.b_channel, ram.read_if.ar_channel, ram.read_if.r_channel]
    for number, channel in enumerate(channels):
        channel.set_pause_generator(hesitant(number, 0.3))
    memory = bytearray(pick.randbytes(1024))
    ram.write(0, bytes(memory))
    for _ in range(300):
        address, write = 4 * pick.randrange(256), pick.random() < 0.5
        word, mask = pick.getrandbits(32), pick.randint(1, 15) if write else 15
        dut.lite_bus_request_addr.value = address
        dut.lite_bus_request_write.value = int(write)
        dut.lite_bus_request_wdata.value = word
        dut.lite_bus_request_mask.value = mask
        dut.lite_bus_request_valid.value = 1
        await cycles_until(dut, lambda: int(dut.lite_bus_ready.value))
        dut.lite_bus_request_valid.value = 0
        await cycles_until(dut, lambda: int(dut.lite_bus_response_valid.value))
        assert not int(dut.lite_bus_response_error.value)
        if write:
            for k in range(4):
                if mask >> k & 1:
                    memory[address + k] = word >> 8 * k & 255
        else:
            assert int(dut.lite_bus_response_data.value) == int.from_bytes(memory[address:address + 4], "little")
    assert ram.read(0, 1024) == bytes(memory)
