//! The attribute macros `#[lambkin::function]` and `#[lambkin::http]`.
//!
//! Each keeps the annotated function as it is and adds the component's export beside it. What the export does
//! at run time is the SDK's work: the generated code only names the handler and says how to call it.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{Error, Ident, ItemFn, parse_macro_input};

/// Makes a function the handler of a function component: any Lambda event in, an answer out.
///
/// The function takes the event (any `serde::Deserialize` type) and, optionally, a `lambkin::Context`, and returns
/// `Result<R, E>` with a `serde::Serialize` answer. It may be `async` or not.
#[proc_macro_attribute]
pub fn function(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(&arguments.into(), &parse_macro_input!(item as ItemFn), Export::Function)
}

/// Makes a function the handler of an HTTP component: a request in, a response out.
///
/// The function takes an `http::Request<lambkin::Body>` and returns `Result<impl lambkin::IntoResponse, E>`. It may
/// be `async` or not.
#[proc_macro_attribute]
pub fn http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(&arguments.into(), &parse_macro_input!(item as ItemFn), Export::Http)
}

#[derive(Clone, Copy)]
enum Export {
    Function,
    Http,
}

fn expand(arguments: &Tokens, handler: &ItemFn, export: Export) -> TokenStream {
    let added = match check(arguments, handler, export) {
        Ok(()) => export_of(handler, export),
        Err(error) => error.into_compile_error(),
    };
    quote! { #handler #added }.into()
}

/// Refuses what no generated call could fit, at the place in the user's source that is wrong.
fn check(arguments: &Tokens, handler: &ItemFn, export: Export) -> Result<(), Error> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "this attribute takes no arguments"));
    }
    let signature = &handler.sig;
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, "a handler cannot be generic"));
    }
    let (allowed, wanted) = match export {
        Export::Function => {
            (1..=2, "a handler takes an event and, optionally, a `lambkin::Context`")
        }
        Export::Http => (1..=1, "a handler takes one `http::Request<lambkin::Body>`"),
    };
    if !allowed.contains(&signature.inputs.len()) {
        return Err(Error::new_spanned(&signature.ident, wanted));
    }
    Ok(())
}

fn export_of(handler: &ItemFn, export: Export) -> Tokens {
    let name = &handler.sig.ident;
    match export {
        Export::Function => function_export(name, &call(handler, 2)),
        Export::Http => http_export(name, &call(handler, 1)),
    }
}

/// A closure of `given` parameters that passes on as many as the handler takes, and gives a future whether the
/// handler is `async` or not.
fn call(handler: &ItemFn, given: usize) -> Tokens {
    let name = &handler.sig.ident;
    let parameters: Vec<Ident> =
        (0..given).map(|position| format_ident!("_argument{position}")).collect();
    let passed = parameters.iter().take(handler.sig.inputs.len());
    let awaited = handler.sig.asyncness.is_some().then(|| quote!(.await));
    quote! { |#(#parameters),*| async move { #name(#(#passed),*) #awaited } }
}

fn function_export(name: &Ident, call: &Tokens) -> Tokens {
    let component = format_ident!("__LambkinFunction_{name}");
    quote! {
        const _: () = {
            #[allow(dead_code, non_camel_case_types, reason = "the export exists in WebAssembly alone")]
            struct #component;

            impl ::lambkin::export::Function for #component {
                fn handle(
                    event: ::std::string::String,
                    context: ::lambkin::export::WireContext,
                ) -> ::std::result::Result<::std::string::String, ::lambkin::export::FunctionError> {
                    ::lambkin::export::function(&event, context, #call)
                }
            }

            #[cfg(target_family = "wasm")]
            ::lambkin::export::export_function!(#component with_types_in ::lambkin::export::bindings);
        };
    }
}

fn http_export(name: &Ident, call: &Tokens) -> Tokens {
    let component = format_ident!("__LambkinHttp_{name}");
    quote! {
        const _: () = {
            #[allow(dead_code, non_camel_case_types, reason = "the export exists in WebAssembly alone")]
            struct #component;

            impl ::lambkin::export::Http for #component {
                fn handle(
                    request: ::lambkin::export::IncomingRequest,
                    answer: ::lambkin::export::ResponseOutparam,
                ) {
                    ::lambkin::export::http(request, answer, #call)
                }
            }

            #[cfg(target_family = "wasm")]
            ::lambkin::export::wasip2::http::proxy::export!(#component with_types_in ::lambkin::export::wasip2);
        };
    }
}
