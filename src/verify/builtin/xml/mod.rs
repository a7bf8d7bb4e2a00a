//! `xml`: one well-formed document (XML 1.0, with namespaces), in any encoding that is known, with what its document type
//! declaration declares. Never reads an external entity.

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
