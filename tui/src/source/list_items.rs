//! The objects of a protobuf list, converted while the list arrives.

use bytes::{Buf as _, BytesMut};
use kubevitals_proto::wire::envelope::{EnvelopeError, TypeMeta};
use kubevitals_proto::wire::list_reader::{ListPart, ListReader};
use kubevitals_proto::wire::meta::ListMeta;

use super::Error;
use super::response::ApiResponse;

/// Reads a body while it arrives, instead of the client.
pub(super) trait ReadBody: Send {
    /// Whether it reads the body of this response.
    fn reads(&self, response: &ApiResponse) -> bool;

    /// Starts from the beginning: a request may be retried.
    fn restart(&mut self);

    /// Reads a chunk.
    ///
    /// # Errors
    /// The body cannot be understood.
    fn read(&mut self, chunk: &[u8]) -> Result<(), Error>;

    /// Checks that the body is complete.
    ///
    /// # Errors
    /// It is not.
    fn end(&self) -> Result<(), Error>;
}

/// Converts the objects of a list with `convert`.
pub(super) struct ListItems<T, F> {
    check: fn(&TypeMeta) -> Result<(), EnvelopeError>,
    convert: F,
    reader: ListReader,
    buffer: BytesMut,
    /// The metadata of the list.
    pub(super) metadata: ListMeta,
    /// The converted objects.
    pub(super) items: Vec<T>,
    is_complete: bool,
}

impl<T, F: Fn(&[u8]) -> Result<T, Error>> ListItems<T, F> {
    /// `check` returns an error for a list of another type.
    pub(super) fn new(check: fn(&TypeMeta) -> Result<(), EnvelopeError>, convert: F) -> Self {
        Self {
            check,
            convert,
            reader: ListReader::default(),
            buffer: BytesMut::new(),
            metadata: ListMeta::default(),
            items: Vec::new(),
            is_complete: false,
        }
    }
}

impl<T: Send, F: Fn(&[u8]) -> Result<T, Error> + Send> ReadBody for ListItems<T, F> {
    fn reads(&self, response: &ApiResponse) -> bool {
        response.is_protobuf()
    }

    fn restart(&mut self) {
        self.reader = ListReader::default();
        self.buffer.clear();
        self.items.clear();
        self.is_complete = false;
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if self.is_complete {
            return Ok(());
        }
        self.buffer.extend_from_slice(chunk);
        let mut rest = &*self.buffer;
        while let Some(part) = self.reader.next(&mut rest).map_err(Error::unreadable)? {
            match part {
                ListPart::Metadata(metadata) => self.metadata = metadata,
                ListPart::Item(item) => self.items.push((self.convert)(item)?),
                ListPart::End => {
                    (self.check)(self.reader.type_meta()).map_err(Error::unreadable)?;
                    self.is_complete = true;
                    break;
                }
            }
        }
        let read = self.buffer.len() - rest.len();
        self.buffer.advance(read);
        Ok(())
    }

    fn end(&self) -> Result<(), Error> {
        if self.is_complete {
            Ok(())
        } else {
            Err(Error::unreadable("the list ends early"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_proto::wire::{envelope, protobuf};

    #[test]
    fn a_list_that_is_requested_again_starts_from_the_beginning() {
        let text = |item: &[u8]| String::from_utf8(item.to_vec()).map_err(Error::unreadable);
        let mut list = ListItems::new(|_| Ok(()), text);
        let mut raw = Vec::new();
        for item in ["one", "two"] {
            protobuf::string(&mut raw, 2, item);
        }
        let body = envelope::wrap("v1", "PodList", &raw);
        for cut in [0, 6, body.len() - 8] {
            list.restart();
            list.read(&body[..cut]).unwrap();
            assert!(list.end().is_err(), "{cut}");
            list.restart();
            for chunk in body.chunks(5) {
                list.read(chunk).unwrap();
            }
            list.end().unwrap();
            assert_eq!(list.items, ["one", "two"]);
        }
    }
}
