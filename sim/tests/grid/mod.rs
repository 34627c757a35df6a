//! Grids of equal elements, which an engine may compute many at a time.

use ferrite_hdl::prelude::*;

#[derive(Clone, Copy, Bundle)]
pub struct ElementIn<T> {
    pub west: T,
    pub north: T,
    pub sum: T,
    pub load: T,
}

#[derive(Clone, Copy, Bundle)]
pub struct ElementOut<T> {
    pub west: T,
    pub north: T,
    pub sum: T,
    pub alarm: T,
}

/// An element of [`Grid`], with an operation of every kind that an engine may do on many elements at once.
#[module]
pub struct Element {
    pub narrow: u32,
    pub wide: u32,
}

impl Module for Element {
    type In = ElementIn<UInt>;
    type Out = ElementOut<UInt>;

    fn inputs(&self) -> ElementIn<Shape> {
        let Element { narrow, wide } = *self;
        ElementIn { west: signed(narrow), north: bits(narrow), sum: signed(wide), load: bit() }
    }
    fn outputs(&self) -> ElementOut<Shape> {
        let Element { narrow, wide } = *self;
        ElementOut { west: signed(narrow), north: bits(narrow), sum: signed(wide), alarm: bit() }
    }
    fn build(&self, m: &Builder, i: ElementIn<UInt>) -> ElementOut<UInt> {
        let Element { narrow, wide } = *self;
        let held = m.reg("held", narrow).reset_to(1);
        m.when(i.load, || held.set(i.north));
        let west = m.delay("west_q", i.west);
        let product = (i.west.signed() * held.signed()).extend(wide);
        let square = (held * i.north).extend(wide);
        let small = i.sum.signed().lt(product) ^ held.le(i.north);
        let mixed = concat([held.slice(1, narrow - 1), !i.west, small]);
        let sum = m.reg("sum_q", signed(wide)).init(Bits::from_u64(wide, 5));
        m.when(small & held.ne(i.north), || sum.set(i.sum.wrapping_add(product.unsigned())))
            .otherwise_when(i.load, || sum.set(i.sum.wrapping_sub(square)))
            .otherwise(|| sum.set((mixed.extend(wide) | (i.sum >> 3)) & !sum));
        let alarm = held.eq(i.west.slice(0, narrow)) & west.any();
        ElementOut { west, north: held, sum, alarm }
    }
}

#[derive(Clone, Bundle)]
pub struct GridIn<T> {
    pub west: Vec<T>,
    pub north: Vec<T>,
    pub load: T,
}

#[derive(Clone, Bundle)]
pub struct GridOut<T> {
    pub sum: Vec<T>,
    pub east: Vec<T>,
    pub alarms: T,
}

/// A grid of equal elements, whose west edge is fed from registers of any width, as a systolic array's is.
#[module]
pub struct Grid {
    pub rows: u32,
    pub cols: u32,
    pub element: Element,
}

impl Module for Grid {
    type In = GridIn<UInt>;
    type Out = GridOut<UInt>;

    fn inputs(&self) -> GridIn<Shape> {
        let narrow = self.element.narrow;
        GridIn {
            west: vec![signed(narrow); self.rows as usize],
            north: vec![bits(narrow); self.cols as usize],
            load: bit(),
        }
    }
    fn outputs(&self) -> GridOut<Shape> {
        let Element { narrow, wide } = self.element;
        GridOut {
            sum: vec![signed(wide); self.cols as usize],
            east: vec![signed(narrow); self.rows as usize],
            alarms: bits(self.rows * self.cols),
        }
    }
    fn build(&self, m: &Builder, i: GridIn<UInt>) -> GridOut<UInt> {
        let Element { narrow, wide } = self.element;
        let zero = m.constant(Bits::zero(wide));
        let mut row: Vec<(UInt, UInt)> = i.north.iter().map(|north| (*north, zero)).collect();
        let (mut east, mut alarms) = (Vec::new(), Vec::new());
        for (r, input) in (0u32..).zip(i.west) {
            let mut west = input;
            if r > 0 {
                let late = m.reg(&format!("late_{r}"), narrow * r);
                late.set(late.concat(input).truncate(narrow * r));
                west = late.slice(narrow * (r - 1), narrow);
            }
            for (c, (north, sum)) in row.iter_mut().enumerate() {
                let inputs = ElementIn { west, north: *north, sum: *sum, load: i.load };
                let out = m.instance(&format!("element_{r}_{c}"), &self.element).connect(inputs);
                (*north, *sum, west) = (out.north, out.sum, out.west);
                alarms.push(out.alarm);
            }
            east.push(west);
        }
        GridOut { sum: row.into_iter().map(|(_, sum)| sum).collect(), east, alarms: concat(alarms) }
    }
}
