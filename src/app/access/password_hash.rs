//! Hashes by argon2 (RFC 9106) in the PHC string format, in memory that the system has back right after each.
//!
//! Never keeps the memory of a hash: an allocator would, for every thread.

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::password_hash::{self, Error};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};

/// Requests beyond 32 MiB are taken from the system by the C library, and given back, one by one (mallopt(3)). Blocks
/// that are not used take no memory.
const LEAST_BLOCKS: usize = (33 << 20) / Block::SIZE;

/// Returns the hash of a password by argon2id with the default parameters.
pub(super) fn hash_of(password: &[u8], salt: &[u8]) -> password_hash::Result<PasswordHash> {
    let params = Params::default();
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let salt = Salt::new(salt)?;
    Ok(PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(&params)?,
        hash: Some(output((algorithm, version, params), password, &salt)?),
        salt: Some(salt),
    })
}

/// Fails unless a password has this hash.
pub(super) fn check(password: &[u8], hash: &str) -> password_hash::Result<()> {
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
        return Err(Error::PasswordInvalid);
    };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?;
    let how = (
        algorithm,
        version.unwrap_or_default(),
        Params::try_from(&hash)?,
    );
    // Outputs are compared in constant time.
    if output(how, password, salt)? == *expected {
        Ok(())
    } else {
        Err(Error::PasswordInvalid)
    }
}

fn output(
    (algorithm, version, params): (Algorithm, Version, Params),
    password: &[u8],
    salt: &[u8],
) -> password_hash::Result<Output> {
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let count = params.block_count();
    let mut blocks = Vec::new();
    let reserved = blocks.try_reserve_exact(count.max(LEAST_BLOCKS));
    reserved.map_err(|_| Error::Internal)?;
    blocks.resize(count, Block::new());
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or(Error::OutputSize)?;
    let argon2 = Argon2::new(algorithm, version, params);
    argon2.hash_password_into_with_memory(password, salt, bytes, &mut blocks[..])?;
    Ok(Output::new(bytes)?)
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher as _, PasswordVerifier};

    use super::*;

    #[test]
    fn hashes_are_those_of_the_library() {
        let (password, salt) = (b"a password", b"0123456789abcdef");
        let ours = hash_of(password, salt).expect("a hash");
        let theirs = Argon2::default().hash_password_with_salt(password, salt);
        assert_eq!(ours, theirs.expect("a hash"));
        let text = ours.to_string();
        assert_eq!(check(password, &text), Ok(()));
        assert_eq!(check(b"another one", &text), Err(Error::PasswordInvalid));
        let theirs = PasswordVerifier::<str>::verify_password(&Argon2::default(), password, &text);
        assert_eq!(theirs, Ok(()));
        assert!(check(password, "$argon2id$v=19$m=19456").is_err());
    }
}
