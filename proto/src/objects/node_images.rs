//! The names and sizes of the images on one node.
//!
//! Lists of nodes are read without them: 50 names a node are most of its object.

use super::protobuf::message;

/// The most images that a kubelet reports unless it is configured otherwise (`nodeStatusMaxImages`): the largest ones.
pub const MAX_REPORTED_IMAGES: u32 = 50;

/// An image on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeImage {
    /// A name with a tag if it has one, else a name with a digest; empty if it has none.
    pub name: Box<str>,
    /// The size in bytes.
    pub bytes: u64,
}

message! {
    /// The images of a node on the wire.
    pub struct WireNodeImages {
        status: Option<WireStatus> = 3,
    }

    struct WireStatus {
        images: Vec<Option<WireImage>> = 8,
    }

    struct WireImage {
        names: Vec<String> = 1,
        size_bytes: i64 = 2,
    }
}

impl WireImage {
    fn convert(self) -> NodeImage {
        // containerd reports `REPOSITORY@DIGEST` before `REPOSITORY:TAG`.
        let tagged = self.names.iter().find(|name| !name.contains('@'));
        let name = tagged.or(self.names.first());
        NodeImage {
            name: name.map(|name| name.as_str().into()).unwrap_or_default(),
            bytes: u64::try_from(self.size_bytes).unwrap_or(0),
        }
    }
}

impl WireNodeImages {
    /// The largest images, at most `count` of them.
    pub fn largest(self, count: usize) -> Vec<NodeImage> {
        let images = self.status.unwrap_or_default().images;
        let mut images: Vec<NodeImage> = images
            .into_iter()
            .flatten()
            .map(WireImage::convert)
            .collect();
        images.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        images.truncate(count);
        images
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(json: &str) -> Vec<(String, u64)> {
        let images: WireNodeImages = serde_json::from_str(json).unwrap();
        let images = images.largest(3).into_iter();
        images.map(|it| (it.name.into(), it.bytes)).collect()
    }

    #[test]
    fn the_largest_images_are_first_with_their_tags() {
        let json = r#"{"status":{"images":[
            {"names":["web@sha256:1","web:1"],"sizeBytes":5},
            {"names":["db@sha256:2"],"sizeBytes":9},
            {"sizeBytes":7},
            {"names":["none"],"sizeBytes":-1},null,3]}}"#;
        let expected = [("db@sha256:2", 9), ("", 7), ("web:1", 5)];
        assert_eq!(
            largest(json),
            expected.map(|(name, bytes)| (name.to_owned(), bytes))
        );
    }

    #[test]
    fn a_node_without_images_has_none() {
        for json in ["{}", r#"{"status":{"images":"x"}}"#, r#"{"status":{}}"#] {
            assert_eq!(largest(json), []);
        }
    }
}
