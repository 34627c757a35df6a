//! A slave of AXI4-Lite, and what IHI 0022 demands of its master.

use super::random::Random;
use super::slave::{Held, Memory, Pace, Peek, Poke, Slave, is_refused};

const SLVERR: u64 = 2;
const DECERR: u64 = 3;

/// In which order a slave takes the halves of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Any,
    /// It takes data when it has the address.
    AddressFirst,
    /// The other way round.
    DataFirst,
}

/// A response that is due.
#[derive(Clone, Copy, Debug)]
struct Answer {
    data: u32,
    resp: u64,
}

pub struct Axi4LiteSlave {
    random: Random,
    pace: Pace,
    kind: Kind,
    writes: bool,
    memory: Memory,
    aw: Option<u32>,
    w: Option<(u32, u32)>,
    read: Option<Answer>,
    write: Option<Answer>,
    /// What it drives in this cycle.
    ready: [bool; 3],
    valid: [bool; 2],
    held: [Held; 3],
}

impl Axi4LiteSlave {
    pub fn data(seed: u64, pace: Pace, kind: Kind) -> Axi4LiteSlave {
        let mut random = Random::new(!seed);
        Axi4LiteSlave {
            pace,
            kind,
            writes: true,
            memory: Memory::new(&mut random),
            random,
            aw: None,
            w: None,
            read: None,
            write: None,
            ready: [false; 3],
            valid: [false; 2],
            held: Default::default(),
        }
    }

    pub fn fetch(seed: u64, pace: Pace) -> Axi4LiteSlave {
        Axi4LiteSlave { writes: false, ..Axi4LiteSlave::data(seed, pace, Kind::Any) }
    }

    fn resp(&mut self, address: u32) -> u64 {
        match is_refused(address) {
            true if self.random.eighths(4) => SLVERR,
            true => DECERR,
            false => 0,
        }
    }

    fn observe_writes(&mut self, peek: Peek) {
        let aw = vec![peek("axi_awvalid"), peek("axi_awaddr"), peek("axi_awprot")];
        let w = vec![peek("axi_wvalid"), peek("axi_wdata"), peek("axi_wstrb")];
        let passes = [aw[0] == 1 && self.ready[0], w[0] == 1 && self.ready[1]];
        assert_eq!(peek("axi_bready"), 1);
        if self.valid[1] {
            self.write = None;
        }
        if passes[0] {
            assert!(self.aw.is_none() && self.write.is_none() && self.read.is_none(), "a second access");
            assert_eq!((aw[1] % 4, aw[2]), (0, 0));
            self.aw = Some(aw[1] as u32);
        }
        if passes[1] {
            assert!(self.w.is_none() && self.write.is_none() && self.read.is_none(), "a second access");
            assert!(matches!(w[2], 1 | 2 | 4 | 8 | 3 | 12 | 15), "{:#b}", w[2]);
            self.w = Some((w[1] as u32, w[2] as u32));
        }
        self.held[0].check("AW", aw, passes[0]);
        self.held[1].check("W", w, passes[1]);
        if let (Some(address), Some((data, lanes))) = (self.aw, self.w) {
            (self.aw, self.w) = (None, None);
            let resp = self.resp(address);
            if resp == 0 {
                self.memory.write(address, data, lanes);
            }
            self.write = Some(Answer { data: 0, resp });
        }
    }
}

impl Slave for Axi4LiteSlave {
    fn in_reset(&self, peek: Peek) {
        // A3.1.2: no VALID before the first edge at which the reset is over.
        assert_eq!(peek("axi_arvalid"), 0);
        if self.writes {
            assert_eq!((peek("axi_awvalid"), peek("axi_wvalid")), (0, 0));
        }
    }

    fn drive(&mut self, poke: Poke) {
        let goes: [bool; 5] = std::array::from_fn(|_| self.pace.goes(&mut self.random));
        self.valid = [self.read.is_some() && goes[3], self.write.is_some() && goes[4]];
        let read =
            self.read.unwrap_or(Answer { data: self.random.word(), resp: self.random.below(4).into() });
        poke("axi_rvalid", self.valid[0].into());
        poke("axi_rdata", read.data.into());
        poke("axi_rresp", read.resp);
        self.ready = [goes[0], goes[1], goes[2]];
        if self.writes {
            match self.kind {
                Kind::Any => {}
                Kind::AddressFirst => self.ready[1] &= self.aw.is_some(),
                Kind::DataFirst => self.ready[0] &= self.w.is_some(),
            }
            let resp = self.write.map_or(self.random.below(4).into(), |answer| answer.resp);
            poke("axi_bvalid", self.valid[1].into());
            poke("axi_bresp", resp);
            poke("axi_awready", self.ready[0].into());
            poke("axi_wready", self.ready[1].into());
        }
        poke("axi_arready", self.ready[2].into());
    }

    fn observe(&mut self, peek: Peek) {
        assert_eq!(peek("axi_rready"), 1);
        if self.valid[0] {
            self.read = None;
        }
        let ar = vec![peek("axi_arvalid"), peek("axi_araddr"), peek("axi_arprot")];
        let passes = ar[0] == 1 && self.ready[2];
        if self.writes {
            let both = ar[0] == 1 && (peek("axi_awvalid") == 1 || peek("axi_wvalid") == 1);
            assert!(!both, "a read and a write at once");
            self.observe_writes(peek);
        }
        if passes {
            let is_free =
                self.read.is_none() && self.write.is_none() && self.aw.is_none() && self.w.is_none();
            assert!(is_free, "a second access");
            let address = ar[1] as u32;
            assert_eq!((ar[1] % 4, ar[2]), (0, if self.writes { 0 } else { 0b100 }));
            let resp = self.resp(address);
            let data = if resp == 0 { self.memory.read(address) } else { self.random.word() };
            self.read = Some(Answer { data, resp });
        }
        self.held[2].check("AR", ar, passes);
    }
}
