//! A slave of Wishbone, and what WISHBONE B4 demands of its master.

use ferrite_hw::adapter::WishboneMode;

use super::random::Random;
use super::slave::{Held, Memory, Pace, Peek, Poke, Slave, is_refused};

/// When a slave answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// In the cycle after the request at the earliest.
    Later,
    /// In the cycle in which it is asked, at the earliest.
    AtOnce,
    /// Always in that cycle, and `ACK` is up even if there is no request (rule 3.55).
    Always,
}

pub struct WishboneSlave {
    random: Random,
    pace: Pace,
    is_pipelined: bool,
    answers: Answers,
    memory: Memory,
    /// The answer that is due: the word, or an error.
    answer: Option<Option<u32>>,
    /// What it drives in this cycle.
    stall: bool,
    ends: bool,
    /// Classic: the request was there in the last cycle too.
    asked_before: bool,
    held: Held,
}

impl WishboneSlave {
    pub fn new(seed: u64, pace: Pace, mode: WishboneMode, answers: Answers) -> WishboneSlave {
        let mut random = Random::new(!seed);
        WishboneSlave {
            pace,
            is_pipelined: mode != WishboneMode::Classic,
            answers,
            memory: Memory::new(&mut random),
            random,
            answer: None,
            stall: false,
            ends: false,
            asked_before: false,
            held: Held::default(),
        }
    }

    fn access(&mut self, peek: Peek) -> Option<u32> {
        let address = peek("wb_adr_o") as u32;
        let lanes = peek("wb_sel_o") as u32;
        assert!(address.is_multiple_of(4) && matches!(lanes, 1 | 2 | 4 | 8 | 3 | 12 | 15));
        if is_refused(address) {
            return None;
        }
        if peek("wb_we_o") == 1 {
            self.memory.write(address, peek("wb_dat_o") as u32, lanes);
            return Some(self.random.word());
        }
        Some(self.memory.read(address))
    }

    fn end(&mut self, answer: Option<u32>, poke: Poke) {
        self.ends = true;
        poke("wb_ack_i", answer.is_some().into());
        poke("wb_err_i", answer.is_none().into());
        poke("wb_dat_i", answer.unwrap_or_else(|| self.random.word()).into());
    }
}

impl Slave for WishboneSlave {
    fn in_reset(&self, peek: Peek) {
        // Rule 3.20.
        assert_eq!((peek("wb_cyc_o"), peek("wb_stb_o")), (0, 0));
    }

    fn drive(&mut self, poke: Poke) {
        self.ends = false;
        poke("wb_ack_i", (self.answers == Answers::Always).into());
        poke("wb_err_i", 0);
        poke("wb_dat_i", self.random.word().into());
        if self.is_pipelined {
            self.stall = !self.pace.goes(&mut self.random);
            poke("wb_stall_i", self.stall.into());
        }
        // Of pipelined mode, or late: what was asked in an earlier cycle.
        if self.answer.is_some() && self.pace.goes(&mut self.random) {
            let answer = self.answer.take().unwrap_or_default();
            self.end(answer, poke);
        }
    }

    fn react(&mut self, peek: Peek, poke: Poke) {
        let asks = peek("wb_cyc_o") == 1 && peek("wb_stb_o") == 1;
        let is_free = self.answer.is_none() && !self.ends && !self.stall;
        let may = match self.answers {
            Answers::Later => false,
            Answers::AtOnce => self.pace.goes(&mut self.random),
            Answers::Always => true,
        };
        if may && asks && is_free {
            let answer = self.access(peek);
            self.end(answer, poke);
            self.asked_before = true;
        }
    }

    fn observe(&mut self, peek: Peek) {
        let names = ["wb_stb_o", "wb_we_o", "wb_adr_o", "wb_dat_o", "wb_sel_o"];
        let request: Vec<u64> = names.iter().map(|name| peek(name)).collect();
        let asks = request[0] == 1;
        let cyc = peek("wb_cyc_o") == 1;
        assert!(cyc || !asks, "STB without CYC");
        let at_once = self.ends && self.asked_before;
        if self.is_pipelined {
            assert!(cyc || self.answer.is_none() && !self.ends, "CYC fell before the access was answered");
            let passes = asks && !self.stall;
            if passes && !at_once {
                assert!(self.answer.is_none(), "a second access");
                self.answer = Some(self.access(peek));
            }
            self.held.check("the request", request, passes);
        } else {
            // Late answers are prepared in the first cycle of the request.
            if asks && !self.ends && !self.asked_before {
                self.answer = Some(self.access(peek));
                self.asked_before = true;
            }
            self.held.check("the request", request, self.ends);
        }
        if self.ends {
            self.asked_before = false;
        }
    }
}
