//! A master that asks for random accesses and knows what must come back.

use std::collections::HashMap;

use ferrite_hdl::Module;

use super::dut::Dut;
use super::random::Random;
use super::slave::{WORDS, is_refused};

#[derive(Clone, Copy, Debug)]
struct Request {
    address: u32,
    write: bool,
    data: u32,
    mask: u32,
}

/// One request at a time, up unchanged until it is taken; the next in the cycle of the response at the earliest. That is what the core does.
pub struct Master {
    random: Random,
    writes: bool,
    /// It waits in so many of eight cycles before it asks.
    idles: u32,
    /// What has been written to each byte; anything may be in the others.
    written: HashMap<u32, u8>,
    /// What was read of a byte that has not been written.
    found: HashMap<u32, u8>,
    asked: Option<Request>,
    taken: Option<Request>,
    /// The response was seen in this cycle.
    answered: bool,
    /// Accesses that are answered.
    pub finished: u64,
    /// With an error.
    pub errors: u64,
}

impl Master {
    pub fn new(seed: u64, writes: bool, idles: u32) -> Master {
        let mut master = Master {
            random: Random::new(seed),
            writes,
            idles,
            written: HashMap::new(),
            found: HashMap::new(),
            asked: None,
            taken: None,
            answered: false,
            finished: 0,
            errors: 0,
        };
        master.asked = Some(master.request());
        master
    }

    /// Looks for a response, which must not depend on what is asked in this cycle.
    pub fn look(&mut self, dut: &Dut<impl Module>) {
        self.answered = dut.peek("bus_response_valid") == 1;
        if !self.answered {
            return;
        }
        let request = self.taken.take().expect("a response without a request");
        let error = dut.peek("bus_response_error") == 1;
        assert_eq!(error, is_refused(request.address), "{request:x?}");
        self.finished += 1;
        self.errors += u64::from(error);
        if !error {
            self.compare(request, dut.peek("bus_response_data") as u32);
        }
    }

    fn compare(&mut self, request: Request, data: u32) {
        for lane in (0..4).filter(|lane| request.mask >> lane & 1 == 1) {
            let address = request.address + lane;
            if request.write {
                self.written.insert(address, (request.data >> (8 * lane)) as u8);
            } else {
                let byte = (data >> (8 * lane)) as u8;
                let known = match self.written.get(&address) {
                    Some(written) => *written,
                    None => *self.found.entry(address).or_insert(byte),
                };
                assert_eq!(byte, known, "byte {address:#x} of {request:x?}");
            }
        }
    }

    /// Asks for the next access if it is time.
    pub fn ask(&mut self, dut: &mut Dut<impl Module>) {
        if self.asked.is_none() && self.taken.is_none() && !self.random.eighths(self.idles) {
            self.asked = Some(self.request());
        }
        // What is not asked for may look like anything.
        let shown = match self.asked {
            Some(request) => request,
            None => self.request(),
        };
        dut.poke("bus_request_valid", u8::from(self.asked.is_some()));
        dut.poke("bus_request_addr", shown.address);
        dut.poke("bus_request_write", u8::from(shown.write));
        dut.poke("bus_request_wdata", shown.data);
        dut.poke("bus_request_mask", shown.mask);
    }

    fn request(&mut self) -> Request {
        let write = self.writes && self.random.eighths(4);
        let masks: &[u32] = if self.writes { &[1, 2, 4, 8, 3, 12, 15] } else { &[15] };
        let mask = masks[self.random.below(masks.len() as u32) as usize];
        Request { address: 4 * self.random.below(WORDS), write, data: self.random.word(), mask }
    }

    /// Looks whether the request passes in this cycle.
    pub fn take(&mut self, dut: &Dut<impl Module>) {
        let answered = dut.peek("bus_response_valid") == 1;
        assert_eq!(answered, self.answered, "a response appears in the cycle in which it is asked for");
        if self.asked.is_some() && dut.peek("bus_ready") == 1 {
            self.taken = self.asked.take();
        }
    }
}
