//! Good texts, wrong ones, and mutated ones.

use proptest::prelude::*;

use super::*;

fn values(text: &str) -> Vec<u64> {
    let words = parse(text, 8, 16).unwrap_or_else(|error| panic!("{error}"));
    words.iter().map(|w| w.to_u64().expect("8 bits")).collect()
}

fn mistake(text: &str) -> String {
    parse(text, 8, 4).expect_err("the mistake is noticed").to_string()
}

#[test]
fn blanks_comments_underscores_and_addresses_are_read() {
    assert_eq!(values(""), []);
    assert_eq!(values("1 2\t3\r\n04\n"), [1, 2, 3, 4]);
    assert_eq!(values("// nothing\n1 /* 2 \n 3 */ 4//5\n6/**/7"), [1, 4, 6, 7]);
    assert_eq!(values("f_f 0_0_0_1"), [255, 1]);
    assert_eq!(values("@2 A @0 b"), [11, 0, 10]);
    assert_eq!(values("1 2 @0 3"), [3, 2]);
}

#[test]
fn words_may_be_wider_than_64_bits() {
    let words = parse("1_0000000000000000_0000000000000000", 129, 1).expect("it fits");
    assert_eq!(words[0].to_biguint(), BigUint::from(1u8) << 128);
}

#[test]
fn a_mistake_is_shown_with_its_line_and_what_is_wrong() {
    let text = "line 3 of the hexadecimal contents: ";
    assert_eq!(mistake("1\n\n12g4"), format!("{text}`12g4` is not a hexadecimal number"));
    assert_eq!(mistake("1\n2\n_3"), format!("{text}`_3` is not a hexadecimal number"));
    assert_eq!(mistake("/* \n\n */ @"), format!("{text}`@` is not a hexadecimal number"));
    assert_eq!(
        mistake("// 1\n\n3x"),
        format!("{text}`3x` has unknown digits, but every bit of a memory is 0 or 1")
    );
    assert_eq!(mistake("\n\n100"), format!("{text}`100` needs 9 bits, but a word has 8"));
    assert_eq!(mistake("1 2 3\n4\n5"), format!("{text}more words than the memory's 4"));
    assert_eq!(mistake("\n\n@4 1"), format!("{text}the address `@4` lies beyond the last word, 3"));
    assert_eq!(mistake("1\n2\n/* 3"), format!("{text}the comment that begins here has no end"));
}

#[test]
fn a_wrong_word_is_cut_and_escaped_in_the_message() {
    let error = mistake(&format!("\u{1b}[31m{}", "q".repeat(1000)));
    assert!(
        error.contains("`\\u{1b}[31mqqq") && error.ends_with("q...` is not a hexadecimal number"),
        "{error}"
    );
    assert!(error.len() < 200);
}

#[test]
fn a_file_is_named_and_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("contents.hex");
    std::fs::write(&path, "1 2\nzebra").expect("the folder is writable");
    let error = read(&path, 8, 4).expect_err("a wrong word").to_string();
    assert_eq!(error, format!("{}:2: `zebra` is not a hexadecimal number", path.display()));
    std::fs::write(&path, " ".repeat(ALWAYS_READ_BYTES as usize + 1)).expect("the folder is writable");
    let error = read(&path, 8, 4).expect_err("a large file");
    assert_eq!(error, HexError::TooLarge { path: path.clone(), limit: ALWAYS_READ_BYTES });
    assert!(matches!(read(folder.path(), 8, 4), Err(HexError::Unreadable { .. })));
    std::fs::write(&path, b"1 // \xff\xfe\n2 \xff").expect("the folder is writable");
    assert!(matches!(read(&path, 8, 4), Err(HexError::InFile { line: 2, .. })));
}

/// A good text, then a few changes to its bytes.
fn mutated() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(
        prop_oneof![
            "[0-9a-fA-F_]{1,6}",
            "@[0-9a-f]{1,9}",
            Just("// words\n".to_string()),
            Just("/* more\n */".to_string()),
            any::<String>(),
        ],
        0..40,
    );
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (pieces, changes).prop_map(|(pieces, changes)| {
        let mut bytes = pieces.join(" ").into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len().max(1));
            bytes.get_mut(at).into_iter().for_each(|b| *b = byte);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #[test]
    fn any_text_gives_words_of_the_memory_or_the_line_of_a_mistake(
        text in prop_oneof![mutated(), any::<String>()],
        width in 1u32..70,
        depth in 1u32..20,
    ) {
        match parse(&text, width, depth) {
            Ok(words) => {
                prop_assert!(words.len() <= depth as usize);
                prop_assert!(words.iter().all(|word| word.width() == width));
            }
            Err(HexError::InText { line, .. }) => prop_assert!((1..=text.lines().count()).contains(&line)),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn words_come_back_as_they_were_written(words in prop::collection::vec(any::<u64>(), 1..30)) {
        let text: String = words.iter().map(|w| format!("{w:x}\n")).collect();
        let read = parse(&text, 64, 32).expect("a good text");
        prop_assert_eq!(read.iter().filter_map(Bits::to_u64).collect::<Vec<_>>(), words);
    }
}
