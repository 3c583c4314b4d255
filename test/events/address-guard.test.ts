// Which addresses a receiver may have, in every notation the URL parser understands.
import { describe, expect, test } from 'vitest'
import { refuseAddress } from '../../src/events/address-guard'

describe('open', () => {
  test.each([
    'https://hooks.example.com/scim?x=1',
    'https://example.com:8443/',
    'https://EXAMPLE.com',
    'https://8.8.8.8/',
    'https://172.32.0.1/',
    'https://172.15.255.255/',
    'https://100.63.255.255/',
    'https://100.128.0.1/',
    'https://192.167.1.1/',
    'https://198.20.0.1/',
    'https://223.255.255.255/',
    'https://[2606:4700:4700::1111]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[64:ff9b::8.8.8.8]/',
    'https://bücher.example/',
    'https://internal.example.com/',
    'https://local.example/',
    'https://mylocalhost.example/',
  ])('%s', url => {
    expect(refuseAddress(url, false)).toBeUndefined()
    expect(refuseAddress(url, true)).toBeUndefined()
  })
})

describe('refused, loopback allowed or not', () => {
  test.each([
    ['no URL at all', ['', 'hooks.example.com', '/hook', '//example.com/x', 'https://', 'https:///']],
    [
      'no https',
      ['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:,x'],
    ],
    [
      'credentials',
      ['https://user:pass@example.com/', 'https://user@example.com/', 'https://:pass@example.com/'],
    ],
    [
      'private IPv4',
      ['https://10.0.0.1/', 'https://172.16.0.1/', 'https://172.31.255.255/', 'https://192.168.1.1/'],
    ],
    [
      'other closed IPv4',
      [
        'https://0.0.0.0/',
        'https://100.64.0.1/',
        'https://100.127.255.255/',
        'https://224.0.0.1/',
        'https://239.1.2.3/',
        'https://255.255.255.255/',
        'https://240.0.0.1/',
        'https://192.0.0.192/',
        'https://198.19.0.1/',
      ],
    ],
    [
      'metadata services',
      [
        'https://169.254.169.254/latest',
        'https://100.100.100.200/',
        'https://168.63.129.16/',
        'https://metadata.google.internal/',
        'https://[fd00:ec2::254]/',
      ],
    ],
    [
      'other notations',
      [
        'https://0xa000001/',
        'https://167772161/',
        'https://012.0.0.1/',
        'https://0xc0.0xa8.1/',
        'https://192.168.257/',
        'https://10.0.0.1./',
        'https://①⓪.0.0.1/',
        'https://%31%30.0.0.1/',
        'https://10。0。0。1/',
      ],
    ],
    [
      'IPv6',
      [
        'https://[::]/',
        'https://[fc00::1]/',
        'https://[fdff::1]/',
        'https://[fe80::1]/',
        'https://[febf::1]/',
        'https://[fec0::1]/',
        'https://[ff02::1]/',
        'https://[2001::1]/',
      ],
    ],
    [
      'IPv4 inside IPv6',
      [
        'https://[::ffff:10.0.0.1]/',
        'https://[::ffff:7f00:1]/',
        'https://[::ffff:169.254.169.254]/',
        'https://[::10.0.0.1]/',
        'https://[::ffff:0:10.0.0.1]/',
        'https://[64:ff9b::10.0.0.1]/',
        'https://[64:ff9b:1::808:808]/',
        'https://[2002:a00:1::]/',
        'https://[2002:7f00:1::]/',
      ],
    ],
    [
      'private names',
      [
        'https://app.localhost/',
        'https://printer.local/',
        'https://db.internal/',
        'https://DB.INTERNAL/',
        'https://router.home.arpa/',
        'https://intranet/',
        'https://kubernetes/',
      ],
    ],
    ['trailing dots', ['https://localhost./', 'https://example.com./', 'https://metadata.google.internal./']],
  ])('%s', (_, urls) => {
    for (const url of urls) {
      expect(refuseAddress(url, false), url).toBeTypeOf('string')
      expect(refuseAddress(url, true), url).toBeTypeOf('string')
    }
  })
})

describe('loopback', () => {
  const loopback = [
    '127.0.0.1',
    '127.8.9.1',
    'localhost',
    'LOCALHOST',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '0x7f.1',
    '2130706433',
    '017700000001',
    '127.0.0.1.',
  ]
  test.each(loopback)('%s passes only where it is allowed', host => {
    for (const url of [`http://${host}:8080/x`, `https://${host}/x`]) {
      expect(refuseAddress(url, true), url).toBeUndefined()
      expect(refuseAddress(url, false), url).toBeTypeOf('string')
    }
  })

  test('allows neither credentials nor a neighbour', () => {
    expect(refuseAddress('http://user:x@127.0.0.1/', true)).toBe('must not contain credentials')
    for (const url of ['http://128.0.0.1/', 'http://126.255.255.255/', 'http://[::2]/', 'http://0.0.0.0/'])
      expect(refuseAddress(url, true), url).toBeTypeOf('string')
  })
})

test('the reason never repeats the URL', () => {
  expect(refuseAddress('https://10.1.2.3/path?token=secret', false)).not.toMatch(/10\.1|secret/)
})
