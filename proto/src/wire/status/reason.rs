//! Why a request failed.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $word:ident,)*) => {
        /// Why a request failed, as a machine reads it.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
        #[serde(from = "String", into = "String")]
        pub enum Reason {
            /// There is no reason.
            #[default]
            Unknown,
            $($(#[$doc])* $word,)*
            /// Another one.
            Other(String),
        }

        impl Reason {
            /// The word on the wire; empty for no reason.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Unknown => "",
                    $(Self::$word => stringify!($word),)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for Reason {
            fn from(word: String) -> Self {
                match word.as_str() {
                    "" => Self::Unknown,
                    $(stringify!($word) => Self::$word,)*
                    _ => Self::Other(word),
                }
            }
        }
    };
}

reasons! {
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 406.
    NotAcceptable,
    /// 409.
    Conflict,
    /// 409: an object of that name exists.
    AlreadyExists,
    /// 410.
    Gone,
    /// 410: the resource version is too old.
    Expired,
    /// 413.
    RequestEntityTooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 422.
    Invalid,
    /// 429.
    TooManyRequests,
    /// 500.
    InternalError,
    /// 503.
    ServiceUnavailable,
    /// 504.
    Timeout,
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Other(word) => word,
            reason => reason.as_str().to_owned(),
        }
    }
}
