//! `kubevitals.io`: its types, and what discovery, OpenAPI and tables say of them.

mod discovery;
mod openapi;
mod table;
mod whole;
