use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Item};

use crate::doc_text;

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let item: Item = syn::parse2(item)?;
    let Item::Struct(item) = &item else {
        return Err(Error::new_spanned(&item, "`#[module]` stands on the struct of a module's parameters"));
    };
    let (name, doc) = (&item.ident, doc_text(&item.attrs));
    let text = name.to_string();
    let (impl_generics, type_generics, where_clause) = item.generics.split_for_impl();
    Ok(quote! {
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #item
        impl #impl_generics ::ferrite_hdl::Describe for #name #type_generics #where_clause {
            const NAME: &'static str = #text;
            const DOC: &'static str = #doc;
        }
    })
}
