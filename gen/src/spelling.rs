//! Finds what a user meant to write.

/// Longest word that is compared: the work grows with its length.
const MAX_LENGTH: usize = 64;

/// The candidate that `word` most likely was to be, if one is near enough.
///
/// Words are dotted paths. A path is also near if its last part is right and only the path to it is wrong or missing.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_LENGTH {
        return None;
    }
    let distance = |candidate: &str| {
        let whole = edit_distance(word, candidate);
        // A wrong path costs one edit, so that a candidate with the right path wins over one with another.
        let last = edit_distance(last_part(word), last_part(candidate)) + 1;
        whole.min(last)
    };
    let allowed = (last_part(word).chars().count() / 3).max(1) + 1;
    candidates
        .map(|c| (distance(c), c))
        .min_by_key(|&(d, _)| d)
        .filter(|&(d, _)| d <= allowed)
        .map(|(_, c)| c)
}

fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Levenshtein's distance: insertions, deletions and replacements of characters that turn `from` into `to`.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distances_are_those_of_the_textbook() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
    }

    #[test]
    fn a_typo_and_a_missing_path_are_understood() {
        let words = ["core.reset_vector", "tensor.rows", "tensor.cols", "soc.ram_bytes"];
        let find = |word| nearest(word, words.into_iter());
        assert_eq!(find("tensor.row"), Some("tensor.rows"));
        assert_eq!(find("rows"), Some("tensor.rows"));
        assert_eq!(find("core.ram_bytes"), Some("soc.ram_bytes"));
        assert_eq!(find("quantum"), None);
        assert_eq!(find(&"x".repeat(1000)), None);
    }
}
