//! `xml`: one well-formed document (XML 1.0, with namespaces), in any known encoding, with its document type
//! declaration. Never reads an external entity.

mod cursor;
mod document;
mod dtd;
mod encoding;
mod entities;
mod parser;
mod prolog;
mod references;
mod refusal;
#[cfg(test)]
mod tests;

pub(super) use document::judge;
