/**
 * A Vulkan driver in software, for WebGPU in Node: the one in Chromium's package, unless the environment names another. The loader reads
 * these variables when a process starts. So they are set in vitest's own process, for its workers.
 */
import { existsSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function provideVulkan(environment = process.env): void {
  const folder = ['/usr/lib/chromium', '/usr/lib/chromium-browser'].find((path) => existsSync(join(path, 'vk_swiftshader_icd.json')))
  if (!folder || environment.VK_ICD_FILENAMES || environment.VK_DRIVER_FILES) return
  const here = mkdtempSync(join(tmpdir(), 'cotangent-vulkan-'))
  environment.VK_ICD_FILENAMES = join(folder, 'vk_swiftshader_icd.json')
  environment.XDG_RUNTIME_DIR ??= here
  // The folder also has the loader, which the system may lack. Nothing else of the folder is wanted.
  const loader = join(folder, 'libvulkan.so.1')
  if (!existsSync(loader)) return
  symlinkSync(loader, join(here, 'libvulkan.so.1'))
  environment.LD_LIBRARY_PATH = [environment.LD_LIBRARY_PATH, here].filter(Boolean).join(':')
}
