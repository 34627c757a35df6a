// What `axi.py` drives: the DMA engines and the core's AXI4-Lite adapter as masters, `AxiMemory` as a slave. Constant signals of AXI4, which the
// modules do not carry, are tied here as hw/src/axi/mod.rs says, for the models ask for some of them.
`timescale 1ns / 1ps
module top;
    reg clk, rst;

    // engines
    reg reads_valid, writes_valid, dma_axi_awready, dma_axi_wready, dma_axi_bvalid, dma_axi_bid, dma_axi_arready, dma_axi_rvalid,
        dma_axi_rid, dma_axi_rlast;
    reg [31:0] reads_next_external, reads_next_s1, reads_next_s2, writes_next_external, writes_next_s1, writes_next_s2;
    reg [15:0] reads_next_bytes, reads_next_n1, reads_next_n2, writes_next_bytes, writes_next_n1, writes_next_n2;
    reg [8:0] reads_next_local, reads_next_d1, reads_next_d2, writes_next_local, writes_next_d1, writes_next_d2;
    reg [7:0] reads_next_fill;
    wire reads_ready, writes_ready, dma_axi_awvalid, dma_axi_awid, dma_axi_wvalid, dma_axi_wlast, dma_axi_bready, dma_axi_arvalid,
        dma_axi_arid, dma_axi_rready, read_done, read_status_idle, read_status_halted, read_status_error, write_done,
        write_status_idle, write_status_halted, write_status_error;
    wire [31:0] dma_axi_awaddr, dma_axi_araddr, read_status_address, write_status_address;
    wire [7:0] dma_axi_awlen, dma_axi_wstrb, dma_axi_arlen;
    wire [63:0] dma_axi_wdata;
    reg [1:0] dma_axi_bresp, dma_axi_rresp;
    reg [63:0] dma_axi_rdata;
    wire [1:0] read_status_response, write_status_response;
    wire [2:0] dma_axi_awsize = 3, dma_axi_arsize = 3;
    wire [1:0] dma_axi_awburst = 1, dma_axi_arburst = 1;

    // memory
    reg mem_axi_awvalid, mem_axi_awid, mem_axi_wvalid, mem_axi_wlast, mem_axi_bready, mem_axi_arvalid, mem_axi_arid, mem_axi_rready,
        mem_stall;
    wire mem_axi_awready, mem_axi_wready, mem_axi_bvalid, mem_axi_bid, mem_axi_arready, mem_axi_rvalid, mem_axi_rid, mem_axi_rlast;
    reg [31:0] mem_axi_awaddr, mem_axi_araddr, mem_seed, mem_error_start, mem_error_bytes;
    reg [7:0] mem_axi_awlen, mem_axi_wstrb, mem_axi_arlen;
    reg [63:0] mem_axi_wdata;
    wire [1:0] mem_axi_bresp, mem_axi_rresp;
    wire [63:0] mem_axi_rdata;
    // The memory does not look at these. With a value at the beginning Icarus keeps them, so that the model finds them.
    reg [2:0] mem_axi_awsize = 0, mem_axi_arsize = 0;
    reg [1:0] mem_axi_awburst = 0, mem_axi_arburst = 0;

    // adapter
    reg lite_bus_request_valid, lite_bus_request_write, lite_axi_awready, lite_axi_wready, lite_axi_bvalid, lite_axi_arready,
        lite_axi_rvalid;
    reg [31:0] lite_bus_request_addr, lite_bus_request_wdata, lite_axi_rdata;
    reg [3:0] lite_bus_request_mask;
    wire lite_bus_ready, lite_bus_response_valid, lite_bus_response_error, lite_axi_awvalid, lite_axi_wvalid, lite_axi_bready,
        lite_axi_arvalid, lite_axi_rready;
    wire [31:0] lite_bus_response_data, lite_axi_awaddr, lite_axi_wdata, lite_axi_araddr;
    wire [2:0] lite_axi_awprot, lite_axi_arprot;
    wire [3:0] lite_axi_wstrb;
    reg [1:0] lite_axi_bresp, lite_axi_rresp;

    Engines engines (.clk(clk), .rst(rst), .reads_valid(reads_valid), .reads_next_external(reads_next_external),
        .reads_next_bytes(reads_next_bytes), .reads_next_n1(reads_next_n1), .reads_next_n2(reads_next_n2),
        .reads_next_s1(reads_next_s1), .reads_next_s2(reads_next_s2), .reads_next_local(reads_next_local),
        .reads_next_d1(reads_next_d1), .reads_next_d2(reads_next_d2), .reads_next_fill(reads_next_fill), .reads_ready(reads_ready),
        .writes_valid(writes_valid), .writes_next_external(writes_next_external), .writes_next_bytes(writes_next_bytes),
        .writes_next_n1(writes_next_n1), .writes_next_n2(writes_next_n2), .writes_next_s1(writes_next_s1),
        .writes_next_s2(writes_next_s2), .writes_next_local(writes_next_local), .writes_next_d1(writes_next_d1),
        .writes_next_d2(writes_next_d2), .writes_ready(writes_ready), .axi_awvalid(dma_axi_awvalid), .axi_awready(dma_axi_awready),
        .axi_awid(dma_axi_awid), .axi_awaddr(dma_axi_awaddr), .axi_awlen(dma_axi_awlen), .axi_wvalid(dma_axi_wvalid),
        .axi_wready(dma_axi_wready), .axi_wdata(dma_axi_wdata), .axi_wstrb(dma_axi_wstrb), .axi_wlast(dma_axi_wlast),
        .axi_bvalid(dma_axi_bvalid), .axi_bready(dma_axi_bready), .axi_bid(dma_axi_bid), .axi_bresp(dma_axi_bresp),
        .axi_arvalid(dma_axi_arvalid), .axi_arready(dma_axi_arready), .axi_arid(dma_axi_arid), .axi_araddr(dma_axi_araddr),
        .axi_arlen(dma_axi_arlen), .axi_rvalid(dma_axi_rvalid), .axi_rready(dma_axi_rready), .axi_rid(dma_axi_rid),
        .axi_rdata(dma_axi_rdata), .axi_rresp(dma_axi_rresp), .axi_rlast(dma_axi_rlast), .read_done(read_done),
        .read_status_idle(read_status_idle), .read_status_halted(read_status_halted), .read_status_error(read_status_error),
        .read_status_address(read_status_address), .read_status_response(read_status_response), .write_done(write_done),
        .write_status_idle(write_status_idle), .write_status_halted(write_status_halted), .write_status_error(write_status_error),
        .write_status_address(write_status_address), .write_status_response(write_status_response));
    AxiMemory memory (.clk(clk), .rst(rst), .axi_awvalid(mem_axi_awvalid), .axi_awready(mem_axi_awready), .axi_awid(mem_axi_awid),
        .axi_awaddr(mem_axi_awaddr), .axi_awlen(mem_axi_awlen), .axi_wvalid(mem_axi_wvalid), .axi_wready(mem_axi_wready),
        .axi_wdata(mem_axi_wdata), .axi_wstrb(mem_axi_wstrb), .axi_wlast(mem_axi_wlast), .axi_bvalid(mem_axi_bvalid),
        .axi_bready(mem_axi_bready), .axi_bid(mem_axi_bid), .axi_bresp(mem_axi_bresp), .axi_arvalid(mem_axi_arvalid),
        .axi_arready(mem_axi_arready), .axi_arid(mem_axi_arid), .axi_araddr(mem_axi_araddr), .axi_arlen(mem_axi_arlen),
        .axi_rvalid(mem_axi_rvalid), .axi_rready(mem_axi_rready), .axi_rid(mem_axi_rid), .axi_rdata(mem_axi_rdata),
        .axi_rresp(mem_axi_rresp), .axi_rlast(mem_axi_rlast), .stall(mem_stall), .seed(mem_seed), .error_start(mem_error_start),
        .error_bytes(mem_error_bytes));
    Axi4LiteData adapter (.clk(clk), .rst(rst), .bus_request_valid(lite_bus_request_valid), .bus_request_addr(lite_bus_request_addr),
        .bus_request_write(lite_bus_request_write), .bus_request_wdata(lite_bus_request_wdata),
        .bus_request_mask(lite_bus_request_mask), .bus_ready(lite_bus_ready), .bus_response_valid(lite_bus_response_valid),
        .bus_response_data(lite_bus_response_data), .bus_response_error(lite_bus_response_error), .axi_awvalid(lite_axi_awvalid),
        .axi_awready(lite_axi_awready), .axi_awaddr(lite_axi_awaddr), .axi_awprot(lite_axi_awprot), .axi_wvalid(lite_axi_wvalid),
        .axi_wready(lite_axi_wready), .axi_wdata(lite_axi_wdata), .axi_wstrb(lite_axi_wstrb), .axi_bvalid(lite_axi_bvalid),
        .axi_bready(lite_axi_bready), .axi_bresp(lite_axi_bresp), .axi_arvalid(lite_axi_arvalid), .axi_arready(lite_axi_arready),
        .axi_araddr(lite_axi_araddr), .axi_arprot(lite_axi_arprot), .axi_rvalid(lite_axi_rvalid), .axi_rready(lite_axi_rready),
        .axi_rdata(lite_axi_rdata), .axi_rresp(lite_axi_rresp));
endmodule
