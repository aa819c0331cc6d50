// Upload a file with tus-js-client as it is: node upload.js ENDPOINT FILE MEMORY. Goes on where it was before, if it was.
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { FileUrlStorage, Upload } from 'tus-js-client'

const [endpoint, path, memory] = process.argv.slice(2)
const upload = new Upload(createReadStream(path), {
  endpoint,
  uploadSize: statSync(path).size,
  metadata: { filename: basename(path), empty: '' },
  urlStorage: new FileUrlStorage(memory),
  removeFingerprintOnSuccess: true,
  retryDelays: [200, 500, 1000, 1000, 2000, 2000, 3000, 3000, 5000, 5000],
  onError(error) {
    console.error(String(error))
    process.exit(1)
  },
  onSuccess() {
    console.log(upload.url)
  },
})
const [previous] = await upload.findPreviousUploads()
if (previous) {
  console.error('resumes')
  upload.resumeFromPreviousUpload(previous)
}
upload.start()
