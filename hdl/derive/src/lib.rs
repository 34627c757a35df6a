//! The derive macros of `ferrite-hdl`: `Bundle`, `Encoding` and the attribute `module`.

mod bundle;
mod encoding;
mod module;

use proc_macro::TokenStream;

/// Implements `Bundle` for a struct with one type parameter, which stands for a signal.
///
/// `#[flip]` on a field reverses its direction.
#[proc_macro_derive(Bundle, attributes(flip))]
pub fn derive_bundle(input: TokenStream) -> TokenStream {
    expand(bundle::derive(input.into()))
}

/// Implements `Encoding` for an enum without fields. Codes are the discriminants, or 0, 1, 2, ...
///
/// `#[encoding(one_hot)]` gives variant `k` the code `1 << k`; `#[encoding(width = 7)]` sets a width larger than needed.
#[proc_macro_derive(Encoding, attributes(encoding))]
pub fn derive_encoding(input: TokenStream) -> TokenStream {
    expand(encoding::derive(input.into()))
}

/// Makes a struct usable as a module's parameters: derives `Clone`, `Debug`, `PartialEq`, `Eq` and `Hash`, and keeps its
/// name and doc comment for the Verilog.
#[proc_macro_attribute]
pub fn module(_attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand(module::expand(item.into()))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// The text of an item's doc comments, a line each.
fn doc_text(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value
        {
            // The blank behind the slashes is no part of the text; further ones may belong to a drawing.
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_string());
        }
    }
    lines.join("\n")
}
