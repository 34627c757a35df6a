use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Expr, Fields, Lit};

pub fn derive(input: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(name, "an encoding is an enum without fields"));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(name, "an encoding needs at least one variant"));
    }
    let mut one_hot = false;
    let mut declared_width = None;
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("encoding")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("one_hot") {
                one_hot = true;
                Ok(())
            } else if meta.path.is_ident("width") {
                declared_width = Some(meta.value()?.parse::<syn::LitInt>()?);
                Ok(())
            } else {
                Err(meta.error("expected `one_hot` or `width = N`"))
            }
        })?;
    }

    let mut codes: Vec<u64> = Vec::new();
    let mut next: Option<u64> = Some(0);
    for (k, variant) in data.variants.iter().enumerate() {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(variant, "a variant of an encoding has no fields"));
        }
        let code = match &variant.discriminant {
            Some((_, value)) if !one_hot => literal(value)?,
            Some((_, value)) => return Err(Error::new_spanned(value, "one_hot chooses the codes itself")),
            None if one_hot && k < 64 => 1 << k,
            None if one_hot => return Err(Error::new_spanned(variant, "one_hot has room for 64 variants")),
            None => next.ok_or_else(|| Error::new_spanned(variant, "the code does not fit 64 bits"))?,
        };
        if let Some(other) = codes.iter().position(|c| *c == code) {
            let message = format!("code {code} is already that of `{}`", data.variants[other].ident);
            return Err(Error::new_spanned(variant, message));
        }
        codes.push(code);
        next = code.checked_add(1);
    }
    let needed = codes.iter().map(|c| 64 - c.leading_zeros()).max().unwrap_or(1).max(1);
    let width = match &declared_width {
        Some(literal) => {
            let width: u32 = literal.base10_parse()?;
            if width < needed || width > 64 {
                return Err(Error::new(
                    literal.span(),
                    format!("the codes need {needed} bits, at most 64 are possible"),
                ));
            }
            width
        }
        None => needed,
    };

    let text = name.to_string();
    let idents: Vec<_> = data.variants.iter().map(|v| &v.ident).collect();
    let names: Vec<_> = idents.iter().map(|i| i.to_string()).collect();
    Ok(quote! {
        impl ::ferrite_hdl::Encoding for #name {
            const INFO: &'static ::ferrite_hdl::EncodingInfo = &::ferrite_hdl::EncodingInfo {
                name: #text,
                width: #width,
                variants: &[#((#names, #codes)),*],
            };
            fn code(self) -> u64 {
                match self { #(#name::#idents => #codes),* }
            }
        }
        impl ::std::convert::From<#name> for ::ferrite_hdl::Operand {
            fn from(variant: #name) -> ::ferrite_hdl::Operand {
                ::ferrite_hdl::Operand::variant(variant)
            }
        }
    })
}

/// An integer literal.
fn literal(value: &Expr) -> syn::Result<u64> {
    if let Expr::Lit(literal) = value
        && let Lit::Int(number) = &literal.lit
    {
        return number.base10_parse();
    }
    Err(Error::new_spanned(value, "the code must be an integer literal"))
}
