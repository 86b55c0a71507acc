//! The gate before all routes: reads, authenticates and authorizes every request.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::X_CONTENT_TYPE_OPTIONS;

use super::inflight::{self, InFlight};
use super::reply::{self, Form};
use crate::auth::{Attributes, Auth, Refusal, User, normalized};
use crate::tls::Authenticated;

/// Puts the gate before all `routes`, unknown paths included. As in metrics-server, the limit of concurrent requests
/// stands between authentication and authorization: it knows the user, and a refused request costs the API server no
/// review. [`read`] must be outside of this.
pub(super) fn protect(routes: Router, auth: &Arc<Auth>, in_flight: Arc<InFlight>) -> Router {
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(Arc::clone(auth), authorize))
        .layer(middleware::from_fn_with_state(
            in_flight,
            inflight::limit_requests,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(auth),
            authenticate,
        ))
}

/// The outermost layer: normalizes the path and reads the request's [`Attributes`].
pub(super) async fn read(mut request: Request, next: Next) -> Response {
    match normalized(request.uri()) {
        Ok(None) => {}
        Ok(Some(uri)) => *request.uri_mut() = uri,
        Err(_) => {
            let message = "the path is too long".to_owned();
            return reply::text(StatusCode::URI_TOO_LONG, message);
        }
    }
    let attributes = Attributes::of(request.method(), request.uri());
    request.extensions_mut().insert(Arc::new(attributes));
    next.run(request).await
}

async fn authenticate(State(auth): State<Arc<Auth>>, request: Request, next: Next) -> Response {
    let form = Form::any(&request);
    let (mut parts, body) = request.into_parts();
    match auth.authenticate(&mut parts).await {
        Ok(user) => {
            let identified = !user.is_anonymous();
            parts.extensions.insert(user);
            let mut response = next.run(Request::from_parts(parts, body)).await;
            if identified {
                // If the server has too many connections, those of known users stay open longer.
                response.extensions_mut().insert(Authenticated);
            }
            response
        }
        Err(refusal) => refuse(form, &refusal),
    }
}

async fn authorize(State(auth): State<Arc<Auth>>, request: Request, next: Next) -> Response {
    let form = Form::any(&request);
    let extensions = request.extensions();
    let (Some(user), Some(attributes)) = (
        extensions.get::<Arc<User>>().cloned(),
        extensions.get::<Arc<Attributes>>().cloned(),
    ) else {
        // Not reached: authentication and `read` come before this layer.
        return refuse(form, &Refusal::Unauthorized);
    };
    match auth.authorize(&user, &attributes).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(form, &refusal),
    }
}

fn refuse(form: Form, refusal: &Refusal) -> Response {
    let forbidden = matches!(refusal, Refusal::Forbidden(_) | Refusal::Impersonation);
    let nosniff = forbidden.then_some([(X_CONTENT_TYPE_OPTIONS, "nosniff")]);
    (nosniff, form.status(&refusal.status())).into_response()
}
