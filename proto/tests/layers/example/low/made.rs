make! {
    pub(crate) struct Made {}
}
