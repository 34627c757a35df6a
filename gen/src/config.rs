//! Reads a chip's description: `chip.toml`, then the `--set key=value` of the command line.
//!
//! The keys, types and ranges are those of [`PARAMETERS`]. Every mistake is reported with its file, line and column,
//! the line itself, what is allowed and, for a key, the nearest one that exists.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ferrite_hw::config::{ChipConfig, ConfigError, Kind, PARAMETERS, Parameter, parameter};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, read_bounded};
use crate::spelling::nearest;

/// Largest `chip.toml` that is read, in bytes: a thousand times a full one.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How many mistakes are shown; after these a broken file only repeats itself.
const MAX_SHOWN: usize = 20;

/// A text that was parsed, and what to call it in messages.
#[derive(Debug)]
struct Source {
    name: String,
    text: String,
}

/// A stretch of a source.
#[derive(Clone, Debug)]
struct Place {
    source: Arc<Source>,
    span: Range<usize>,
}

impl Place {
    /// A place whose bounds are inside the text and between characters, whatever the span was.
    fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let text = &source.text;
        let is_boundary = |&at: &usize| text.is_char_boundary(at);
        let start = (0..=span.start.min(text.len())).rev().find(is_boundary).unwrap_or(0);
        let end = (span.end.max(start)..text.len()).find(is_boundary).unwrap_or(text.len());
        Self { source: Arc::clone(source), span: start..end }
    }
}

/// One mistake in a chip's description.
#[derive(Clone, Debug)]
struct Problem {
    message: String,
    /// Where, and what to say there; none if the value at fault was never written.
    place: Option<(Place, String)>,
    help: Option<String>,
}

/// All mistakes in a chip's description.
///
/// Displayed as plain text; [`Report::render`] can add colour.
#[derive(Debug)]
pub struct Report {
    problems: Vec<Problem>,
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl Report {
    /// The number of mistakes.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there are none, which is never so for a report that was returned.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The mistakes as text, with terminal colours if `colour`.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for problem in self.problems.iter().take(MAX_SHOWN) {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&problem.render(&renderer));
        }
        if let Some(more) = self.problems.len().checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
            let _ = write!(text, "\n\nand {more} more");
        }
        text
    }
}

impl Problem {
    fn render(&self, renderer: &Renderer) -> String {
        let mut group: Group<'_> = match &self.place {
            Some((place, label)) => {
                let annotation = AnnotationKind::Primary.span(place.span.clone()).label(label);
                let snippet =
                    Snippet::source(&place.source.text).path(&place.source.name).annotation(annotation);
                Level::ERROR.primary_title(&self.message).element(snippet)
            }
            None => Group::with_title(Level::ERROR.primary_title(&self.message)),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }
}

/// Reads the chip's description from a file (or takes the default chip) and applies the overrides, in order.
///
/// An override is `key=value` with a dotted key and a TOML value; names and words need no quotes.
///
/// # Errors
/// [`Error::Read`], [`Error::TooLarge`] and [`Error::NotText`] for the file itself; [`Error::Config`] with all
/// mistakes in what it and the overrides say.
pub fn load(path: Option<&Path>, overrides: &[String]) -> Result<ChipConfig, Error> {
    load_if(path, overrides, ChipConfig::validate)
}

/// As [`load`], for the core without the chip around it, of which only the core's own values count.
///
/// # Errors
/// As [`load`].
pub fn load_core(path: Option<&Path>, overrides: &[String]) -> Result<ChipConfig, Error> {
    load_if(path, overrides, ChipConfig::validate_core)
}

/// How the values of a description are checked against each other.
type Check = fn(&ChipConfig) -> Result<(), Vec<ConfigError>>;

fn load_if(path: Option<&Path>, overrides: &[String], check: Check) -> Result<ChipConfig, Error> {
    let file = match path {
        None => None,
        Some(path) => {
            let bytes = read_bounded(path, "a chip's description", MAX_FILE_BYTES)?;
            let text = String::from_utf8(bytes).map_err(|error| Error::NotText {
                path: path.to_owned(),
                offset: error.utf8_error().valid_up_to(),
            })?;
            Some((path.display().to_string(), text))
        }
    };
    Ok(parse_if(file.as_ref().map(|(name, text)| (name.as_str(), text.as_str())), overrides, check)?)
}

/// As [`load`], from a text and the name that messages call it by.
///
/// # Errors
/// All mistakes in the file and the overrides.
pub fn parse(file: Option<(&str, &str)>, overrides: &[String]) -> Result<ChipConfig, Report> {
    parse_if(file, overrides, ChipConfig::validate)
}

fn parse_if(file: Option<(&str, &str)>, overrides: &[String], check: Check) -> Result<ChipConfig, Report> {
    let mut reader = Reader::default();
    if let Some((name, text)) = file {
        reader.read_toml(Source { name: name.to_string(), text: text.to_string() });
    }
    for text in overrides {
        reader.read_override(text);
    }
    reader.finish(check)
}

/// The parameters as a table for `--help`: key, default, allowed values, meaning.
pub fn parameters_help() -> String {
    let default = ChipConfig::default();
    let mut text = String::from("Keys of chip.toml and --set:\n");
    for parameter in PARAMETERS {
        let unit = if parameter.unit.is_empty() { String::new() } else { format!(" [{}]", parameter.unit) };
        let value = parameter.value_text(&default).unwrap_or_default();
        let _ = write!(
            text,
            "  {}{unit}\n      {}\n      default {value}; allowed: {}\n",
            parameter.key,
            parameter.doc,
            parameter.kind.allowed()
        );
    }
    text
}

/// A value that was written and is allowed, waiting for all to be known.
enum Setting {
    Number(u32),
    Switch(bool),
    /// A name, or the word of a choice.
    Word(String),
}

/// Collects settings and mistakes.
#[derive(Default)]
struct Reader {
    /// By key; a later setting replaces an earlier one.
    settings: BTreeMap<&'static str, (Setting, Place)>,
    problems: Vec<Problem>,
}

impl Reader {
    fn read_toml(&mut self, source: Source) {
        let source = Arc::new(source);
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in &errors {
            let place = Place::new(&source, error.span().unwrap_or(0..0));
            self.problem("this is not TOML".to_string(), place, error.message().to_string(), None);
        }
        // What can still be read of a broken file is mostly guesses of the parser: more mistakes from it would mislead.
        if errors.is_empty() {
            let earlier = self.problems.len();
            self.read_table(&source, "", table.get_ref());
            // The parser sorts by key; a reader goes through the file from the top.
            let start = |problem: &Problem| problem.place.as_ref().map(|(place, _)| place.span.start);
            self.problems[earlier..].sort_by_key(start);
        }
    }

    fn read_override(&mut self, text: &str) {
        let source = Source { name: "--set".to_string(), text: text.to_string() };
        let Some((key, value)) = text.split_once('=') else {
            let place = Place::new(&Arc::new(source), 0..text.len());
            let help = Some("for example --set tensor.rows=8".to_string());
            return self.problem(
                "an override needs a value".to_string(),
                place,
                "not of the form key=value".to_string(),
                help,
            );
        };
        match parameter(key.trim()) {
            // A shell takes quotes away: a bare word is a text.
            Some(parameter)
                if matches!(parameter.kind, Kind::Name { .. } | Kind::Choice { .. })
                    && !value.contains(['"', '\'']) =>
            {
                let place = Place::new(&Arc::new(source), key.len() + 1..text.len());
                self.set(parameter, &DeValue::String(value.trim().into()), place);
            }
            _ => self.read_toml(source),
        }
    }

    fn read_table(&mut self, source: &Arc<Source>, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            if let Some(parameter) = parameter(&key) {
                self.set(parameter, value.get_ref(), Place::new(source, value.span()));
            } else if PARAMETERS
                .iter()
                .any(|p| p.key.strip_prefix(&*key).is_some_and(|rest| rest.starts_with('.')))
            {
                self.read_part(source, &key, value);
            } else {
                self.unknown_key(&key, Place::new(source, name.span()));
            }
        }
    }

    fn read_part(&mut self, source: &Arc<Source>, key: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(inner) => self.read_table(source, &format!("{key}."), inner),
            other => {
                let place = Place::new(source, value.span());
                let help = Some(format!("its values stand below a line [{key}], one key = value a line"));
                let label = format!("this is {}", type_in_words(other));
                self.problem(format!("`{key}` is a part of the chip, not a value"), place, label, help);
            }
        }
    }

    fn unknown_key(&mut self, key: &str, place: Place) {
        let help = match nearest(key, PARAMETERS.iter().map(|p| p.key)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let keys: Vec<_> = PARAMETERS.iter().map(|p| p.key).collect();
                format!("the keys are {}", keys.join(", "))
            }
        };
        let message = format!("there is no parameter `{}`", key.escape_debug());
        self.problem(message, place, "unknown key".to_string(), Some(help));
    }

    /// Keeps a value if its type and range are right.
    fn set(&mut self, parameter: &'static Parameter, value: &DeValue<'_>, place: Place) {
        let checked = match (&parameter.kind, value) {
            (Kind::Number { range, .. }, DeValue::Integer(number)) => {
                let number = i128::from_str_radix(number.as_str(), number.radix()).ok();
                let number = number.and_then(|number| u32::try_from(number).ok());
                Ok(number.filter(|&number| range.contains(u64::from(number))).map(Setting::Number))
            }
            (Kind::Switch { .. }, DeValue::Boolean(value)) => Ok(Some(Setting::Switch(*value))),
            (Kind::Name { .. }, DeValue::String(name)) => {
                let legal = ferrite_hw::config::is_legal_name(name);
                Ok(legal.then(|| Setting::Word(name.to_string())))
            }
            (Kind::Choice { words, .. }, DeValue::String(word)) => {
                Ok(words.contains(&&**word).then(|| Setting::Word(word.to_string())))
            }
            (kind, other) => {
                Err(format!("{} is wanted, this is {}", kind_in_words(kind), type_in_words(other)))
            }
        };
        let key = parameter.key;
        let allowed = parameter.kind.allowed();
        match checked {
            Ok(Some(setting)) => {
                self.settings.insert(key, (setting, place));
            }
            Ok(None) => {
                let help = Some(format!("`{key}`: {}", parameter.doc));
                self.problem(
                    format!("`{key}` has a value that is not allowed"),
                    place,
                    format!("allowed: {allowed}"),
                    help,
                );
            }
            Err(label) => {
                let help = Some(format!("allowed: {allowed}"));
                self.problem(format!("`{key}` has a value of the wrong type"), place, label, help);
            }
        }
    }

    fn problem(&mut self, message: String, place: Place, label: String, help: Option<String>) {
        self.problems.push(Problem { message, place: Some((place, label)), help });
    }

    /// Applies the settings to the default chip and checks them against each other.
    fn finish(mut self, check: Check) -> Result<ChipConfig, Report> {
        let mut chip = ChipConfig::default();
        for parameter in PARAMETERS {
            match (&parameter.kind, self.settings.get(parameter.key)) {
                (Kind::Number { set, .. }, Some((Setting::Number(value), _))) => set(&mut chip, *value),
                (Kind::Switch { set, .. }, Some((Setting::Switch(value), _))) => set(&mut chip, *value),
                (Kind::Name { set, .. }, Some((Setting::Word(value), _))) => set(&mut chip, value.clone()),
                (Kind::Choice { set, .. }, Some((Setting::Word(value), _))) => set(&mut chip, value),
                // `set` keeps settings of the parameter's own kind only.
                _ => {}
            }
        }
        if self.problems.is_empty() {
            let errors = check(&chip).err().unwrap_or_default();
            self.problems = errors.iter().map(|error| self.conflict(error)).collect();
        }
        if self.problems.is_empty() { Ok(chip) } else { Err(Report { problems: self.problems }) }
    }

    fn conflict(&self, error: &ConfigError) -> Problem {
        let key = error.key();
        match self.settings.get(key) {
            Some((_, place)) => {
                let label = match error {
                    ConfigError::OutOfRange { allowed, .. } => format!("allowed: {allowed}"),
                    ConfigError::Conflict { reason, .. } => reason.clone(),
                };
                let message = format!("`{key}` does not fit the rest of the chip");
                Problem { message, place: Some((place.clone(), label)), help: None }
            }
            None => Problem {
                message: error.to_string(),
                place: None,
                help: Some(format!("set `{key}`: its default does not fit this chip")),
            },
        }
    }
}

fn kind_in_words(kind: &Kind) -> &'static str {
    match kind {
        Kind::Number { .. } => "a whole number",
        Kind::Switch { .. } => "true or false",
        Kind::Name { .. } => "a name in quotes",
        Kind::Choice { .. } => "a word in quotes",
    }
}

fn type_in_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
