//! A thread that turns changes into the file, so that the simulation need not wait for it.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::declare::Declared;
use super::format::{Counts, geometry, header};
use super::section::Sections;
use super::{FstError, HIGH_TIME, TIME_PER_CYCLE};
use crate::new_file::NewFile;
use crate::probes::Change;

/// Changes that are handed over at once: they fit the processor's cache.
const LOG_CHANGES: usize = 1 << 14;
/// Logs that may wait; a simulation that is faster than the writer waits then, and memory stays bounded.
const WAITING_LOGS: usize = 8;
/// Bytes of changes that become a section.
const SECTION_BYTES: usize = 1 << 20;

/// Instead of a word's number: the value is the set of clocks that rise at the beginning of the next cycle in the log.
const EDGES: u32 = u32::MAX;
/// Instead of a word's number: the value is a cycle in which all that follows happens.
const CYCLE: u32 = u32::MAX - 1;
/// Instead of a word's number: the value is the cycle before which the file ends.
const END: u32 = u32::MAX - 2;

/// Writes a file's values.
pub(super) struct Writer {
    log: Vec<Change>,
    logs: SyncSender<Vec<Change>>,
    /// Logs that have been written, to be filled again.
    written: Receiver<Vec<Change>>,
    thread: JoinHandle<Result<NewFile, Unfinished>>,
}

impl Writer {
    /// Begins a file.
    pub fn start(mut file: NewFile, declared: Declared) -> io::Result<Writer> {
        file.append(&header(&declared.counts))?;
        file.append(&declared.hierarchy)?;
        file.append(&geometry(&declared.widths))?;
        let (logs, receiver) = sync_channel(WAITING_LOGS);
        let (return_to, written) = channel();
        let write = move || {
            let sections = Sections::new(&declared.widths);
            let values = Values::new(&declared);
            let write = Write { file, counts: declared.counts, sections, values, high: 0, whole: None };
            write.all(&receiver, &return_to)
        };
        let thread = std::thread::Builder::new().name("waveform".to_string()).spawn(write)?;
        Ok(Writer { log: Vec::with_capacity(LOG_CHANGES), logs, written, thread })
    }

    /// What follows happens in `cycle`, which is later than before and begins with rising `edges`. False if nobody takes it any more:
    /// [`Writer::finish`] says why.
    pub fn cycle(&mut self, cycle: u64, edges: u64) -> bool {
        let goes_on = self.log.len() < LOG_CHANGES || self.hand_over();
        self.log.extend([Change { word: EDGES, value: edges }, Change { word: CYCLE, value: cycle }]);
        goes_on
    }

    /// Where changes in the cycle are put.
    pub fn changes(&mut self) -> &mut Vec<Change> {
        &mut self.log
    }

    /// The file ends before `cycle`.
    pub fn end(&mut self, cycle: u64) {
        self.log.push(Change { word: END, value: cycle });
    }

    fn hand_over(&mut self) -> bool {
        let empty = self.written.try_recv().unwrap_or_else(|_| Vec::with_capacity(2 * LOG_CHANGES));
        let log = std::mem::replace(&mut self.log, empty);
        self.logs.send(log).is_ok()
    }

    /// Completes the file and gives it its name. If it could not be written to the end, it is what could.
    pub fn finish(mut self, path: &Path) -> Result<(), FstError> {
        self.hand_over();
        drop(self.logs);
        let written = self.thread.join().unwrap_or_else(|_| {
            Err(Unfinished { source: io::Error::other("the writing thread has died"), kept: None })
        });
        let lost = |source| FstError::Lost { path: path.to_owned(), source };
        match written {
            Ok(file) => file.persist(path).map_err(lost),
            Err(Unfinished { source, kept: None }) => Err(lost(source)),
            Err(Unfinished { source, kept: Some((file, last)) }) => match file.persist(path) {
                Ok(()) => Err(FstError::CutOff { path: path.to_owned(), last, source }),
                Err(_) => Err(lost(source)),
            },
        }
    }
}

/// Values that could not be written to the end.
struct Unfinished {
    /// Why.
    source: io::Error,
    /// A file that ends earlier, and the last cycle in it.
    kept: Option<(NewFile, u64)>,
}

/// The trace of every word of the probes, and what values of several words were last.
struct Values {
    clocks: u32,
    /// For every word, its trace, and where a wide trace begins among `wide`.
    traces: Vec<(u32, u32)>,
    /// Words of wide traces.
    wide: Vec<u64>,
    /// For every wide trace, where it begins and ends.
    wide_traces: Vec<(u32, std::ops::Range<usize>)>,
    /// Wide traces that have changed in the cycle under way.
    changed: Vec<u32>,
}

/// Of a trace that is not wide.
const NARROW: u32 = u32::MAX;

impl Values {
    fn new(declared: &Declared) -> Values {
        let clocks = (declared.widths.len() - declared.probes.len()) as u32;
        let mut values = Values {
            clocks,
            traces: Vec::new(),
            wide: Vec::new(),
            wide_traces: Vec::new(),
            changed: Vec::new(),
        };
        for (trace, width) in (0..).zip(&declared.widths).skip(clocks as usize) {
            let words = width.div_ceil(64) as usize;
            let first = values.wide.len();
            if words > 1 {
                values
                    .traces
                    .extend((0..words).map(|k| (values.wide_traces.len() as u32, (first + k) as u32)));
                values.wide_traces.push((trace, first..first + words));
                values.wide.resize(first + words, 0);
            } else {
                values.traces.push((trace, NARROW));
            }
        }
        values
    }
}

struct Write {
    file: NewFile,
    counts: Counts,
    sections: Sections,
    values: Values,
    /// The clocks that are high.
    high: u64,
    /// The part of the file that is a file itself, once it has its header; none without a section.
    whole: Option<Whole>,
}

/// Sections that have been written to their ends, and all before them.
#[derive(Clone, Copy)]
struct Whole {
    bytes: u64,
    /// The last cycle in them.
    last: u64,
}

impl Write {
    fn all(
        mut self,
        logs: &Receiver<Vec<Change>>,
        written: &Sender<Vec<Change>>,
    ) -> Result<NewFile, Unfinished> {
        match self.sections(logs, written).and_then(|()| self.head()) {
            Ok(()) => Ok(self.file),
            Err(source) => {
                let kept = self.whole.filter(|whole| self.cut(*whole).is_ok());
                Err(Unfinished { source, kept: kept.map(|whole| (self.file, whole.last)) })
            }
        }
    }

    /// Leaves nothing of the section that could not be written. The header takes no room that the file has not yet.
    fn cut(&mut self, whole: Whole) -> io::Result<()> {
        self.file.cut(whole.bytes)?;
        self.head()
    }

    /// The header with its final counts.
    fn head(&mut self) -> io::Result<()> {
        self.file.replace_start(&header(&self.counts))
    }

    /// Writes the section under way, which ends with cycle `last`.
    fn section(&mut self, last: u64) -> io::Result<()> {
        self.sections.take(&mut self.file)?;
        self.counts.sections += 1;
        self.counts.end_time = self.sections.now();
        self.whole = Some(Whole { bytes: self.file.bytes(), last });
        Ok(())
    }

    fn sections(&mut self, logs: &Receiver<Vec<Change>>, written: &Sender<Vec<Change>>) -> io::Result<()> {
        let (mut edges, mut cycle) = (0, 0);
        let mut is_first = true;
        for mut log in logs {
            for Change { word, value } in log.drain(..) {
                match word {
                    EDGES => {
                        self.wide();
                        self.clocks_fall(cycle);
                        edges = value;
                    }
                    CYCLE => {
                        if self.sections.bytes() > SECTION_BYTES {
                            self.section(cycle)?;
                        }
                        cycle = value;
                        self.sections.time(cycle * TIME_PER_CYCLE);
                        self.clocks_rise(edges, std::mem::take(&mut is_first));
                    }
                    END => {
                        self.wide();
                        self.clocks_fall(cycle);
                        self.sections.time(value * TIME_PER_CYCLE);
                    }
                    word => match self.values.traces[word as usize] {
                        (trace, NARROW) => self.sections.change(trace as usize, value),
                        (wide, at) => {
                            self.values.wide[at as usize] = value;
                            self.values.changed.push(wide);
                        }
                    },
                }
            }
            // Nobody takes it when the recording has ended.
            let _ = written.send(log);
        }
        if is_first {
            // Nothing was recorded; readers expect a time all the same.
            self.sections.time(0);
        }
        self.section(cycle)
    }

    /// Values of which any word has changed, whole.
    fn wide(&mut self) {
        self.values.changed.sort_unstable();
        self.values.changed.dedup();
        for wide in self.values.changed.drain(..) {
            let (trace, words) = self.values.wide_traces[wide as usize].clone();
            self.sections.change_wide(trace as usize, &self.values.wide[words]);
        }
    }

    fn clocks_rise(&mut self, edges: u64, is_first: bool) {
        for clock in 0..self.values.clocks {
            let rises = edges >> clock & 1;
            if rises == 1 || is_first {
                self.sections.change(clock as usize, rises);
            }
        }
        self.high = edges;
    }

    fn clocks_fall(&mut self, cycle: u64) {
        if self.high != 0 {
            self.sections.time(cycle * TIME_PER_CYCLE + HIGH_TIME);
            for clock in (0..self.values.clocks).filter(|clock| self.high >> clock & 1 == 1) {
                self.sections.change(clock as usize, 0);
            }
            self.high = 0;
        }
    }
}
