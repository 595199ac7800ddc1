// Reads {jwks, pem, token, type, issuer, audience, now} as JSON; prints the claims as jose verifies them, once by key set and once by PEM, or its error's code.
import { createLocalJWKSet, importSPKI, jwtVerify, calculateJwkThumbprint } from 'jose'
import { text } from 'node:stream/consumers'

const asked = JSON.parse(await text(process.stdin))
const options = {
  algorithms: ['ES256'], typ: asked.type, issuer: asked.issuer, audience: asked.audience, currentDate: new Date(asked.now * 1000),
  requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'tenant_id'],
}
try {
  const bySet = await jwtVerify(asked.token, createLocalJWKSet(asked.jwks), options)
  const byPem = await jwtVerify(asked.token, await importSPKI(asked.pem, 'ES256'), options)
  const thumbprints = await Promise.all(asked.jwks.keys.map((key) => calculateJwkThumbprint(key)))
  console.log(JSON.stringify({ payload: bySet.payload, same: JSON.stringify(bySet.payload) === JSON.stringify(byPem.payload), thumbprints }))
} catch (error) {
  console.log(JSON.stringify({ error: error.code ?? error.message }))
}
