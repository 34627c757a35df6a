use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Type};

use crate::doc_text;

pub fn derive(input: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let name = &input.ident;
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(name, "a bundle is a struct with named fields"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(name, "a bundle is a struct with named fields"));
    };
    let mut types = input.generics.params.iter().filter_map(|p| match p {
        GenericParam::Type(t) => Some(&t.ident),
        _ => None,
    });
    let (Some(leaf), None) = (types.next(), types.next()) else {
        let message =
            "a bundle has one type parameter, which stands for a signal: `struct Ports<T> { a: T }`";
        return Err(Error::new_spanned(&input.generics, message));
    };
    let consts: Vec<_> = input
        .generics
        .params
        .iter()
        .filter_map(|p| match p {
            GenericParam::Const(c) => Some(c),
            _ => None,
        })
        .collect();
    let const_names: Vec<_> = consts.iter().map(|c| &c.ident).collect();

    let mut moves = Vec::new();
    for field in &fields.named {
        let ident = field.ident.as_ref().expect("named fields have names");
        let text = ident.to_string();
        let text = text.trim_start_matches("r#");
        let doc = doc_text(&field.attrs);
        let flip = field.attrs.iter().any(|a| a.path().is_ident("flip"));
        let mapped = map_value(&field.ty, leaf, quote! { self.#ident });
        moves.push(quote! {
            #ident: path.field(#text, #doc, #flip, |path| #mapped)
        });
    }
    let path = if moves.is_empty() { format_ident!("_path") } else { format_ident!("path") };
    let f = if moves.is_empty() { format_ident!("_f") } else { format_ident!("f") };
    Ok(quote! {
        impl<#leaf: ::ferrite_hdl::Leaf, #(#consts),*> ::ferrite_hdl::Bundle for #name<#leaf, #(#const_names),*> {
            type Leaf = #leaf;
            type With<__U: ::ferrite_hdl::Leaf> = #name<__U, #(#const_names),*>;
            fn map_leaves<__U: ::ferrite_hdl::Leaf>(
                self,
                #path: &mut ::ferrite_hdl::Path,
                #f: &mut dyn FnMut(&::ferrite_hdl::Path, #leaf) -> __U,
            ) -> #name<__U, #(#const_names),*> {
                #name { #(#moves),* }
            }
        }
    })
}

/// The expression that maps a value of a field's type. Leaves, vectors, arrays and options are seen through here, since the
/// compiler cannot know that a leaf mapped to `__U` is a `__U`; other types are bundles of their own.
fn map_value(ty: &Type, leaf: &syn::Ident, value: TokenStream) -> TokenStream {
    let each = |inner: &Type| {
        let mapped = map_value(inner, leaf, quote! { item });
        quote! { path.field(&k.to_string(), "", false, |path| #mapped) }
    };
    match ty {
        Type::Path(path) if path.path.is_ident(leaf) => quote! { f(path, #value) },
        Type::Path(path) if argument_of(path, "Vec").is_some() => {
            let each = each(argument_of(path, "Vec").expect("just seen"));
            quote! { #value.into_iter().enumerate().map(|(k, item)| #each).collect::<::std::vec::Vec<_>>() }
        }
        Type::Path(path) if argument_of(path, "Option").is_some() => {
            let mapped = map_value(argument_of(path, "Option").expect("just seen"), leaf, quote! { item });
            quote! { #value.map(|item| #mapped) }
        }
        Type::Array(array) => {
            let each = each(&array.elem);
            quote! {{
                let mut next = 0usize;
                #value.map(|item| {
                    let k = next;
                    next += 1;
                    #each
                })
            }}
        }
        _ => quote! { ::ferrite_hdl::Bundle::map_leaves(#value, path, f) },
    }
}

/// `X` of `Name<X>`.
fn argument_of<'a>(path: &'a syn::TypePath, name: &str) -> Option<&'a Type> {
    let last = path.path.segments.last().filter(|s| s.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}
