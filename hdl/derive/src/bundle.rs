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
        let message = "a bundle has one type parameter, which stands for a signal: `struct Ports<T> { a: T }`";
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
        let with = substitute(&field.ty, leaf);
        moves.push(quote! {
            #ident: path.field(#text, #doc, #flip, |path| -> #with {
                ::ferrite_hdl::Bundle::map_leaves(self.#ident, path, f)
            })
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

/// The field's type with the leaf replaced by `__U`, as a projection that the compiler can name.
fn substitute(ty: &Type, leaf: &syn::Ident) -> TokenStream {
    if let Type::Path(path) = ty
        && path.path.is_ident(leaf)
    {
        return quote! { __U };
    }
    quote! { <#ty as ::ferrite_hdl::Bundle>::With<__U> }
}
