pub(crate) struct Used;
