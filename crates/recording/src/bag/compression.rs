//! rosbag2's compression of single messages.

use std::io::Read;

/// How every zstd frame begins. CDR begins with 0, so a message cannot be taken for one.
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Undoes rosbag2's compression mode `message` where a message is compressed.
pub(super) fn decompress_message(data: &[u8]) -> std::io::Result<Vec<u8>> {
    /// The longest message that is believed.
    const LIMIT_BYTES: u64 = 256 << 20;

    if !data.starts_with(&ZSTD_MAGIC) {
        return Ok(data.to_vec());
    }
    let mut whole = Vec::new();
    let decoder = zstd::Decoder::with_buffer(data)?;
    let read = decoder.take(LIMIT_BYTES + 1).read_to_end(&mut whole)?;
    if read as u64 > LIMIT_BYTES {
        return Err(std::io::Error::other(format!("a message of over {LIMIT_BYTES} bytes")));
    }
    Ok(whole)
}
