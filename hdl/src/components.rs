//! Loops in graphs.

/// Strongly connected components, operands before users (Tarjan, *Depth-first search and linear graph algorithms*, 1972;
/// without recursion, since paths are long).
pub(crate) fn components(count: usize, operands: impl Fn(u32) -> Vec<u32>) -> Vec<Vec<u32>> {
    const NEW: u32 = u32::MAX;
    let mut number = vec![NEW; count];
    let mut lowest = vec![0u32; count];
    let mut on_stack = vec![false; count];
    let (mut stack, mut found, mut numbered) = (Vec::new(), Vec::new(), 0);
    let mut work: Vec<(u32, Vec<u32>, usize)> = Vec::new();
    for root in 0..count as u32 {
        if number[root as usize] != NEW {
            continue;
        }
        work.push((root, operands(root), 0));
        while let Some((node, next, at)) = work.last_mut() {
            let (v, this) = (*node as usize, *node);
            if *at == 0 && number[v] == NEW {
                number[v] = numbered;
                lowest[v] = numbered;
                numbered += 1;
                stack.push(this);
                on_stack[v] = true;
            }
            if let Some(&w) = next.get(*at) {
                *at += 1;
                if number[w as usize] == NEW {
                    work.push((w, operands(w), 0));
                } else if on_stack[w as usize] {
                    lowest[v] = lowest[v].min(number[w as usize]);
                }
                continue;
            }
            work.pop();
            if let Some((parent, ..)) = work.last() {
                let p = *parent as usize;
                lowest[p] = lowest[p].min(lowest[v]);
            }
            if lowest[v] == number[v] {
                let mut component = Vec::new();
                while let Some(w) = stack.pop() {
                    on_stack[w as usize] = false;
                    component.push(w);
                    if w == this {
                        break;
                    }
                }
                found.push(component);
            }
        }
    }
    found
}
